/** The orchestrator: who leads decides the budgets of every host, and says why. */
export { createOrchestrator, type Orchestrator, type OrchestratorOptions } from './app.ts';
export { decideLimit } from './limits/decide.ts';
export { parseObservation, parseSettings, parseState } from './limits/parse.ts';
export { defaultTuning } from './limits/tuning.ts';
export type * from './limits/types.ts';
export { decidePlan } from './plan/decide.ts';
export { planBudgets } from './plan/planner.ts';
export type { ContainerState, HostSnapshot, PlanDecision, PlannedHost, PlanPolicy } from './plan/types.ts';
export { planPolicy } from './policy.ts';
export { type PlanInput, readInput, recordInput, replayPlan } from './record.ts';
export { type RunningOrchestrator, startOrchestrator } from './start.ts';
