"""The officer writes to the parties: at the desk, and by command; each of them hears it once."""

from functools import partial

from sandbox.demo.scene import Scene
from sandbox.phones.handset import API, Handset
from sandbox.phones.journey import require

_AT_THE_DESK = "材料已转入审核环节，预计三个工作日内办结。"
_BY_COMMAND = "审核已通过，请买方缴纳登记费，并等待税务部门通知。"
NOTICE = "progress_notice"


def write(scene: Scene) -> None:
    """The command is the same service as the desk, under a key of its own: said twice, it is sent once."""
    scene.officer.notify(scene.case_id, _AT_THE_DESK)
    scene.journey.wait_for("the officer's words in every wallet", lambda: _shown_to_all(scene, 1))
    for phone in scene.phones.values():  # one agreement lets one message through
        phone.accept_messages()
    wanted = ("notify", "--case", scene.case_number, "--text", _BY_COMMAND, "--key", "demo-notice-1")
    sent = {scene.houses.registry.command(*wanted).strip() for _ in range(2)}
    require(len(sent) == 1, f"the same command sent {len(sent)} notices")
    scene.journey.wait_for("the officer's words in every wallet", lambda: _shown_to_all(scene, 2))
    for phone in scene.phones.values():
        scene.journey.wait_for("the officer's words in the inbox", partial(_read, phone))


def _shown_to_all(scene: Scene, times: int) -> bool | None:
    shown = {key: len(phone.messages(NOTICE)) for key, phone in scene.phones.items()}
    require(max(shown.values()) <= times, f"the wallets showed more than {times}: {shown}")
    return set(shown.values()) == {times} or None


def _read(phone: Handset) -> bool | None:
    inbox = phone.calls.get("read my messages", f"{API}/messages")["items"]
    bodies = [each["body"] for each in inbox if each["template"] == NOTICE]
    require(len(bodies) <= 2, f"{phone.person.key} was told {len(bodies)} times")
    return all(any(text in body for body in bodies) for text in (_AT_THE_DESK, _BY_COMMAND)) or None
