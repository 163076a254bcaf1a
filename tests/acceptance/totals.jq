# What all manifests of a tree come to. Input: a list of {ok: MANIFEST}, or {} for a file that holds none.
def total(value): map(value | numbers) | if . == [] then null else add end;
def without(value): map(select(value | type != "number")) | length;

length as $files | map(.ok // empty) |
{
  manifests: $files,
  unreadable: ($files - length),
  failed: map(select(.failed == true)) | length,
  unknown_result: map(select(.failed | type != "boolean")) | length,
  unfinished: map(select(.state == "running" or .state == "detached")) | length,
  unreleased: map(select(.outcome == "unreleased")) | length,
  wall_time_sec: total(.wall_time_sec),
  unknown_wall: without(.wall_time_sec),
  estimated_cost_usd: total(.estimated_cost_usd),
  unknown_cost: without(.estimated_cost_usd),
  billed_usd: total(.billed_usd),
  billed_runs: map(select(.billed_usd | type == "number")) | length
}
