from datetime import datetime

from bench.bare import POOL, bare_app, shanghai


async def test_a_bare_app_has_a_pool_as_large_as_ours(mariadb_url: str):
    app = bare_app("bare-test", mariadb_url, autocommit=True)
    (opening,) = app._future_listeners
    await opening.listener(app)
    try:
        async with app.ctx.pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute("SELECT 1")
            assert await cursor.fetchall() == ((1,),)
        assert app.ctx.pool.size == POOL
    finally:
        app.ctx.pool.terminate()
        await app.ctx.pool.wait_closed()


def test_moments_are_told_in_beijing_time():
    assert shanghai(datetime(2026, 11, 21, 16)) == "2026-11-22T00:00:00+08:00"  # noqa: DTZ001 - as the database has it
