"""HTTP for citizens: one file per noun, each its schemas and its endpoints."""

from sanic import Blueprint

from kit.web.edge import Edge
from miniprogram_api import (
    applications,
    appointments,
    catalogue,
    certificates,
    confirmations,
    deliveries,
    face_checks,
    materials,
    me,
    messages,
    offices,
    payments,
    progress,
    register_queries,
    sessions,
    shared_materials,
    verify_page,
)
from server.journeys.house import House

_NOUNS = (
    sessions,
    me,
    face_checks,
    catalogue,
    register_queries,
    offices,
    appointments,
    applications,
    materials,
    shared_materials,
    confirmations,
    progress,
    payments,
    messages,
    certificates,
    deliveries,
    verify_page,
)


def blueprints(house: House, edge: Edge) -> list[Blueprint]:
    """Everything a resident's phone, or a camera at a QR code, may call."""
    return [noun.blueprint(house, edge) for noun in _NOUNS]
