"""Stacks: their order, their layers' names, and what they put into the environment."""

from outrider.fleet.images.stacks import STACKS, chosen, stack_environment, stack_services
from outrider.model.ids import LayerId
from outrider.model.services import ServiceSpec

BASE = (LayerId("base-x"),)


def test_they_are_stacked_in_one_order() -> None:
    assert [stack.name for stack in chosen(["redis", "ide", "postgres"])] == ["ide", "postgres", "redis"]


def test_a_layer_is_named_after_its_script_and_all_below() -> None:
    redis = chosen(["redis"])[0]
    assert redis.layer(BASE).startswith("stack-redis-")
    assert redis.layer(BASE) != redis.layer((*BASE, LayerId("stack-postgres-x")))


def test_every_stack_has_a_service_with_a_port_of_its_own() -> None:
    ports = [spec.port for stack in STACKS for spec in stack.services]
    assert None not in ports
    assert len(set(ports)) == len(ports) == len(STACKS)


def test_the_database_is_named_after_the_repository() -> None:
    found = stack_environment(["postgres", "redis"], "My-Shop.api")
    assert found["DATABASE_URL"] == "postgresql://agent@127.0.0.1:5432/my_shop_api"
    assert found["PGDATABASE"] == "my_shop_api"
    assert found["REDIS_URL"] == "redis://127.0.0.1:6379/0"
    assert stack_environment(["postgres"], "2048")["PGDATABASE"] == "db_2048"
    assert stack_environment([], "shop") == {}


def test_a_service_of_the_repository_takes_the_place_of_a_stacks() -> None:
    own = (ServiceSpec(name="cache", command="exec valkey-server", port=6379),)
    assert [spec.name for spec in stack_services(["postgres", "redis"], own)] == ["postgres"]
    assert [spec.name for spec in stack_services(["postgres", "redis"], ())] == ["postgres", "redis"]
