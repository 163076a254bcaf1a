"""Shows what a run would write, and checks that it could start: `before_paying.py CONFIG [NAME=VALUE...]`."""

from __future__ import annotations

import sys

from runpod_deploy import DeployError, build_job_context, load_job_spec, validate_local_paths


def main() -> int:
    """Returns 2 if the config is wrong or a local path is missing."""
    config, *pairs = sys.argv[1:]
    try:
        variables = dict(pair.split("=", 1) for pair in pairs)
        ctx = build_job_context(load_job_spec(config), config, cli_variables=variables)
        validate_local_paths(ctx)
    except (DeployError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{ctx.run_id} would write to {ctx.run_dir}")
    for artifact in ctx.spec.artifacts:
        print(f"{artifact.label}: {ctx.render(artifact.remote_path)} -> {ctx.render_path(artifact.local_path)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
