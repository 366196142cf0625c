from server.relay.ports import Needs
from server.terms.unit_record import UnitRecord


async def unit(needs: Needs, *, unit_code: str, certificate_number: str) -> UnitRecord | None:
    """Ask the register over the port, now; None when unit and certificate do not belong together.

    Calls outside, so never inside a transaction. Raises OutsideError.
    """
    return await needs.registry.query_unit(unit_code=unit_code, certificate_number=certificate_number)
