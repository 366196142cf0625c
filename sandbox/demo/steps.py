"""The steps of the case, in their order: what each is called, and what is done in it."""

from collections.abc import Callable

from sandbox.demo import booking, filing, office, paying, posting, verifying, writing
from sandbox.demo.scene import Scene

FIRST = 2
"""The number of the first of them; the city is started before."""

ACTS: tuple[tuple[str, Callable[[Scene], None]], ...] = (
    ("three residents log in, bind phones, prove their real names by face", filing.log_in),
    ("the buyer reads the guide, books a counter, cancels, books another", booking.book),
    ("the seller looks the unit up; departments prove, the rest is uploaded", filing.draw_up),
    ("each party confirms by face check; submitted, 收件回执", filing.confirm_and_submit),
    ("the case package reaches the registry", office.arrive),
    ("accepted, 受理凭证, all three told; reviewed; fee due", office.accept_and_review),
    ("the officer writes to the parties, at the desk and by command", writing.write),
    ("the buyer pays 80 yuan; notified twice, settled once", paying.pay_fee),
    ("entry refused, tax cleared by callback, entered", office.clear_tax_and_enter),
    ("old certificate superseded, new one downloaded", office.receive_certificate),
    ("QR read back, verified offline and by link: 有效", verifying.verify),
    ("the paper goes by express; tracked, signed for in person", posting.post),
)
TITLES = {number: title for number, (title, _) in enumerate(ACTS, start=FIRST)}
