import type { StepDeps } from '../../src/jobs/steps/deps.ts'
import type { JobStore } from '../../src/jobs/store/store.ts'

/** A bug of the engine that is put in from outside: into the text of a script, around the store, or into what steps work with. */
export type Bug = {
  patch?(name: string, lua: string): string
  wrap?(store: JobStore): JobStore
  change?(deps: StepDeps): StepDeps
}

/** Replaces a passage of a script, which must be there. */
function without(lua: string, passage: string, instead = ''): string {
  if (!lua.includes(passage)) throw new Error(`the script has no passage ${passage}`)
  return lua.replace(passage, instead)
}

export const bugs = {
  'no fence': {
    patch: (name, lua) =>
      name === 'reelgateTransition'
        ? without(lua, 'elseif leaseToken ~= guardValue then\n  return 0\nend', 'end')
        : name === 'reelgateStoreIntent'
          ? without(lua, "if currentToken ~= leaseToken then return { 'stale' } end")
          : lua,
  },
  'no intent': {
    wrap: (store) => ({
      ...store,
      storeIntent: async () => ({ kind: 'stored', server: 'server0:history0' }),
    }),
    change: (deps) => ({ ...deps, hasRestored: () => true }),
  },
  'no task claim': {
    wrap: (store) => ({
      ...store,
      claimTask: async () => true,
      claimCandidate: async (_, { tasks }) => tasks[0]?.outcome,
    }),
  },
  'no retry of the reply': {
    change: (deps) => ({
      ...deps,
      journal: { ...deps.journal, storeReply: async () => undefined },
      sleep: () => Promise.reject(new Error('the write is not tried again')),
    }),
  },
  'refund on unknown': {
    patch: (name, lua) =>
      name === 'reelgateTransition'
        ? without(
            lua,
            "if settlement == 'hold' then",
            "if settlement == 'hold' then settlement = 'release' end\nif false then",
          )
        : lua,
  },
} satisfies Record<string, Bug>

export type BugName = keyof typeof bugs

export const bugNames = Object.keys(bugs) as BugName[]
