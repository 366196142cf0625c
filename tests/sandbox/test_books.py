from pathlib import Path

from sandbox.books import Books
from sandbox.clock import Clock


def test_a_line_cut_off_by_a_kill_costs_only_itself(tmp_path: Path):
    books = Books(tmp_path, Clock())
    books.write("orders", {"n": 1})
    books.close()
    with (tmp_path / "orders.jsonl").open("a") as file:
        file.write('{"n": 2')
    again = Books(tmp_path, Clock())
    assert [entry["n"] for entry in again.read("orders")] == [1]
    again.write("orders", {"n": 3})
    assert [entry["n"] for entry in again.read("orders")] == [1, 3]
    again.close()
