import type { z } from "zod";
import type { explanationSchema } from "../model-explain.ts";
import type { Running } from "../running.ts";
import { stateFacts } from "./backend-state.ts";

type Explanation = z.output<typeof explanationSchema>;

/** Adds why backends are as they are: a worker knows that one is down, its keeper what the probe said. O(backends). */
export function withReasons(running: Running, explained: Explanation): Explanation {
  const { pool } = explained;
  const plan = running.plan.pools.find(({ name }) => name === pool?.name);
  const keeper = pool === null ? null : running.keeper(pool.name);
  if (pool === null || plan === undefined || keeper === null) return explained;
  const members = new Map(keeper.backends.map((member) => [member.plan.id, member]));
  const backends = pool.backends.map((backend) => {
    const member = members.get(backend.backend);
    if (member === undefined || backend.states.length === 0) return backend;
    const { state, why } = stateFacts(member, plan.health, running.now());
    const said = state === "ramp" ? "slow-start" : state;
    if (why === "" || !backend.states.some((each) => each === said)) return backend;
    return { ...backend, why: backend.why === "" ? why : `${backend.why}: ${why}` };
  });
  return { ...explained, pool: { ...pool, backends } };
}
