"""What can be done with an application, one verb at a time; each is one transaction unless it says otherwise."""

from server.applications.service.confirm import answer_inquiry, check_signature, confirm, refuse
from server.applications.service.decide import (
    record_acceptance,
    record_certificate,
    record_correction,
    record_entry,
    record_refusal,
    record_step,
)
from server.applications.service.draft import change, open_draft
from server.applications.service.ending import expire_due, withdraw
from server.applications.service.evidence import NewEvidence, attach_evidence
from server.applications.service.files import attach_file, remove_file, scope_of
from server.applications.service.money import (
    record_fee_order,
    record_fee_settled,
    release_hold,
    set_hold,
)
from server.applications.service.notices import record_notice
from server.applications.service.papers import record_paper
from server.applications.service.parties import bind_parties
from server.applications.service.request import reopen, request_confirmation
from server.applications.service.submit import submit
from server.applications.service.taxes import (
    declare_taxes,
    record_assessment,
    record_tax_cleared,
    record_tax_notice,
)

__all__ = [
    "NewEvidence",
    "answer_inquiry",
    "attach_evidence",
    "attach_file",
    "bind_parties",
    "change",
    "check_signature",
    "confirm",
    "declare_taxes",
    "expire_due",
    "open_draft",
    "record_acceptance",
    "record_assessment",
    "record_certificate",
    "record_correction",
    "record_entry",
    "record_fee_order",
    "record_fee_settled",
    "record_notice",
    "record_paper",
    "record_refusal",
    "record_step",
    "record_tax_cleared",
    "record_tax_notice",
    "refuse",
    "release_hold",
    "remove_file",
    "reopen",
    "request_confirmation",
    "scope_of",
    "set_hold",
    "submit",
    "withdraw",
]
