"""Runs the steps on the connection that `mes.store.upkeep` hands in."""

from alembic import context

from mes.store.rows import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=False,
)
context.run_migrations()
