"""The lifecycle policy of releases before 0.8, as two switches."""

from __future__ import annotations

from dataclasses import dataclass

from ...spec import LifecyclePolicySpec


@dataclass(frozen=True, slots=True)
class StopPolicySpec:
    """Whether the pod is ended after a success and after a failure. Made by older scripts; a job takes `lifecycle`."""

    on_success: bool = True
    on_failure: bool = True

    @property
    def lifecycle(self) -> LifecyclePolicySpec:
        """The policy that a `stop:` block with these switches means."""
        return LifecyclePolicySpec(
            on_success="delete" if self.on_success else "preserve",
            on_failure="stop" if self.on_failure else "preserve",
        )
