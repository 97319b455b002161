"""Run by Alembic. The connection is given by `outrider.storage.catalog`; there is no configuration file."""

from alembic import context

from outrider.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)

with context.begin_transaction():
    context.run_migrations()
