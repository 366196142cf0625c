"""HTTP for staff: JSON under /staff/v1, one file per noun, each its schemas and its endpoints."""

from sanic import Blueprint

from kit.web.edge import Edge
from server.console import (
    appointments,
    audit,
    bills,
    cases,
    deliveries,
    evidence,
    notices,
    notification_templates,
    outbox,
    payments,
    refunds,
    sessions,
)
from server.journeys.house import House


def platform_blueprints(house: House, edge: Edge) -> list[Blueprint]:
    """The platform's books and counters."""
    return [
        noun.blueprint(house, edge)
        for noun in (payments, refunds, bills, appointments, deliveries, notification_templates)
    ]


def registry_blueprints(house: House, edge: Edge) -> list[Blueprint]:
    """The registry's desk."""
    return [noun.blueprint(house, edge) for noun in (cases, evidence, notices)]


def common_blueprints(house: House, edge: Edge) -> list[Blueprint]:
    """What staff of either side need."""
    return [noun.blueprint(house, edge) for noun in (sessions, outbox, audit)]
