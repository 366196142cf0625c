"""Who is told what: one module for each thing that people wait to hear of."""

from server.journeys.telling import applications, appointments, deliveries, residents

__all__ = ["applications", "appointments", "deliveries", "residents"]
