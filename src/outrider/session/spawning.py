"""Starting child sessions and sending them more, for engines and for people."""

from dataclasses import dataclass

from outrider.model.child_commands import PromptChild, SpawnChild
from outrider.model.children import VIA_PARENT, ChildSpec, Parentage
from outrider.model.egress import EgressPolicy
from outrider.model.engine import ModelRef
from outrider.model.errors import BadRequest, NotFound, RecipeError, Refused
from outrider.model.ids import PromptId, SessionId, TurnId, derived_id, new_id
from outrider.model.membership import Caller, Member, person_key
from outrider.model.person import Author, Person
from outrider.model.prompt import Prompt, check_prompt_text
from outrider.model.repository import Repository
from outrider.ports.forge import Forge
from outrider.ports.tools import ChildWanted
from outrider.proof.reading import read_recipe
from outrider.proof.recipe import Recipe
from outrider.session.family import expect_budget, root_of, spent
from outrider.session.family_state import ChildPhase, made_children
from outrider.session.policy import Policy
from outrider.session.state import State
from outrider.session.world import World

TITLE_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Asker:
    """In whose name, and by which turn where an engine asks."""

    person: Person
    turn: TurnId | None = None
    caller: Caller | None = None
    """Who really asks, where a person does."""

    @property
    def author(self) -> Author:
        """As a prompt has it."""
        return Author(person=self.person, via=VIA_PARENT)


class Spawning:
    """Makes children, within the limits of the deployment."""

    def __init__(self, world: World, policy: Policy) -> None:
        self._world = world
        self._policy = policy
        self.family = world.family

    async def spawn(self, session: SessionId, wanted: ChildWanted, by: Asker) -> SessionId:
        """Start a child; it exists when this returns, and the same request gives the same one. Raises BadRequest,
        Refused, LimitReached, RepositoryError."""
        family = self._world.family
        parent = await family.sessions.state(session)
        spec = await self._spec(parent, wanted, by)
        async with family.spawning:
            members = await family.members(root_of(parent))
            expect_budget(spent(members), self._policy.budget)
            in_tree = sum(len(made_children(member.children)) for member in members)
            await family.sessions.ask(
                session, SpawnChild(spec, by.person, by.turn, in_tree, self._policy.caps), by.caller
            )
        state = await family.until(
            session, lambda state: state.children[spec.session].phase is not ChildPhase.REQUESTED
        )
        child = state.children[spec.session]
        if child.phase is ChildPhase.REFUSED:
            raise Refused(f"The session could not be started: {child.refusal}")
        return child.id

    async def send(self, session: SessionId, child: SessionId, text: str, key: str | None, by: Asker) -> PromptId:
        """Send a child another prompt. Raises as `spawn`."""
        check_prompt_text(text, self._policy.queue.prompt.prompt_bytes)
        key = key or (derived_id("key", by.turn, child, text) if by.turn else new_id("key", 20))
        prompt = Prompt(id=PromptId(derived_id("p", session, child, key)), author=by.author, text=text, key=_key(key))
        await self._world.family.sessions.ask(session, PromptChild(child, prompt, by.turn), by.caller)
        return prompt.id

    async def _spec(self, parent: State, wanted: ChildWanted, by: Asker) -> ChildSpec:
        check_prompt_text(wanted.prompt, self._policy.queue.prompt.prompt_bytes)
        forge, repository = await self._repository(parent, wanted.repository)
        branch, commit = await forge.head(repository, _branch(parent, repository, wanted))
        words = (wanted.repository, wanted.branch, wanted.model, wanted.prompt)
        key = wanted.key or (derived_id("key", by.turn, *words) if by.turn else new_id("key", 20))
        session = SessionId(derived_id("s", parent.session, key))
        return ChildSpec(
            session=session,
            title=(wanted.title or _title(wanted.prompt))[:TITLE_LENGTH],
            repository=repository,
            base_branch=branch,
            base_commit=commit,
            model=self._model(parent, wanted.model),
            prompt=Prompt(id=PromptId(derived_id("p", session)), author=by.author, text=wanted.prompt, key=_key(key)),
            parentage=await self._parentage(parent),
            members=_members(parent, by.person),
        )

    async def _repository(self, parent: State, name: str | None) -> tuple[Forge, Repository]:
        """The parent's own, or one that is known here by that name: a session brings nothing in by path or URL."""
        own = parent.created.repository
        if name is None or name == own.name:
            return self._world.forge(own.forge), own
        for forge in self._world.forges.values():
            if name in {repository.name for repository in await forge.repositories()}:
                return forge, await forge.find(name, lambda _line: None)
        raise NotFound(f"No repository named {name[:100]} is known here.", "A person brings repositories in.")

    def _model(self, parent: State, name: str | None) -> ModelRef:
        """The one that is named, of a provider that is set up; else the parent's."""
        if name is None:
            return parent.created.model
        try:
            model = ModelRef.parse(name)
        except ValueError as error:
            raise BadRequest(f"{name[:100]!r} names no model.", "Write it as PROVIDER/NAME.") from error
        known = {parent.created.model.provider, *(known.provider for known in self._world.models)}
        if model.provider not in known:
            names = ", ".join(map(str, self._world.models)) or str(parent.created.model)
            raise BadRequest(
                f"No provider named {model.provider} is set up here.", f"Models that can be used: {names}."
            )
        return model

    async def _parentage(self, parent: State) -> Parentage:
        above = parent.created.parent
        return Parentage(
            session=parent.session,
            root=root_of(parent),
            depth=above.depth + 1 if above else 1,
            within=(await self._reach(parent), *(above.within if above else ())),
        )

    async def _reach(self, parent: State) -> EgressPolicy:
        """What the parent's sandbox may reach now."""
        created, quarantine = parent.created, self._world.quarantine
        mirror = self._world.forge(created.repository.forge).mirror(created.repository)
        await quarantine.open(created.session, mirror, created.base_commit)
        try:
            recipe = await read_recipe(quarantine, created.session, created.base_commit)
        except RecipeError:
            recipe = Recipe(source="")
        policy = EgressPolicy.of(created.repository.name, recipe.egress)
        return policy.model_copy(update={"hosts": parent.allowed_hosts, "asked": ()})


def _branch(parent: State, repository: Repository, wanted: ChildWanted) -> str | None:
    """The parent's branch in its own repository, the default one in another, where none is named."""
    same = repository.name == parent.created.repository.name
    return wanted.branch or (parent.created.base_branch if same else None)


def _members(parent: State, asker: Person) -> tuple[Member, ...]:
    """The parent's, in their roles. Guests were invited to that one session; who asks owns the child anyway."""
    own = person_key(asker.email)
    return tuple(member for key, member in parent.members.items() if key != own and not member.guest)


def _title(prompt: str) -> str:
    return next((line.strip() for line in prompt.splitlines() if line.strip()), "Untitled")


def _key(key: str) -> str:
    """As a prompt keeps it: told apart from the keys that people send."""
    return f"parent-{key}"[:100]
