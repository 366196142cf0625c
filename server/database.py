"""The four Tortoise apps and where their models live; every role has all tables, and fills its own."""

from kit.db.connection import Apps, config, credentials

APPS: Apps = {
    "kit": (
        "kit.outbox.models",
        "kit.inbox.models",
        "kit.idempotency.models",
        "kit.heartbeat.models",
        "kit.sequences.models",
        "kit.audit.models",
        "kit.allowance.models",
    ),
    "server": (
        "server.identity.models",
        "server.staff.models",
        "server.catalogue.models",
        "server.appointments.models",
        "server.applications.models",
        "server.sharing.models",
        "server.relay.models",
        "server.registry.models",
        "server.certificates.models",
        "server.delivery.models",
    ),
    "payments": ("payments.models", "payments.bill_models"),
    "notifications": ("notifications.models",),
}

TORTOISE_ORM = config(credentials("sqlite:///var/none.db"), APPS)
"""For `tortoise makemigrations` only, which compares models with migrations and opens no database."""
