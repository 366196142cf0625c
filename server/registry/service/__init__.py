"""What the registry does, one verb per module."""

from server.registry.service.accept import accept
from server.registry.service.ask_correction import ask_correction
from server.registry.service.certificates import record_certificate
from server.registry.service.enter import enter
from server.registry.service.evidence import record_evidence
from server.registry.service.messages import open_up, queue_message, send_message
from server.registry.service.push_notice import push_notice
from server.registry.service.receive_package import receive_package
from server.registry.service.refuse import refuse
from server.registry.service.review import review
from server.registry.service.seed import seed_unit
from server.registry.service.unit_query import answer_query, forget_nonces
from server.registry.service.view_material import open_material
from server.registry.service.withdraw import withdraw

__all__ = [
    "accept",
    "answer_query",
    "ask_correction",
    "enter",
    "forget_nonces",
    "open_material",
    "open_up",
    "push_notice",
    "queue_message",
    "receive_package",
    "record_certificate",
    "record_evidence",
    "refuse",
    "review",
    "seed_unit",
    "send_message",
    "withdraw",
]
