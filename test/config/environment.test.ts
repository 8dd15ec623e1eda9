import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseEnv } from 'node:util'
import { providers } from '../../providers/index.ts'
import { ConfigError, readConfig } from '../../src/config/config.ts'
import { renamedSettings } from '../../src/config/renamed-settings.ts'
import { createCleanup, temporaryFolder } from '../support/setup.ts'

const secret = 'a-secret-that-nobody-prints'
const all = Object.values(providers)
const credentials = [
  ...new Set(all.flatMap(({ hosts }) => Object.values(hosts).flatMap((host) => host.credentials))),
]

function warningsOf(env: Record<string, string>): readonly string[] {
  return readConfig(env, all).warnings
}

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig({ NODE_ENV: 'production', ...env }, all)
    return []
  } catch (cause) {
    if (cause instanceof ConfigError) return cause.problems
    throw cause
  }
}

describe('a variable that looks like an upstream key and is not', () => {
  const cases: Record<string, string> = {
    FAL_API_KEY: 'FAL_KEY',
    FAL_TOKEN: 'FAL_KEY',
    FAL_SECRET: 'FAL_KEY',
    FAL_KEY_ID: 'FAL_KEY',
    FAL_KYE: 'FAL_KEY',
    FALKEY: 'FAL_KEY',
    falKey: 'FAL_KEY',
    fal_key: 'FAL_KEY',
    'FAL-KEY': 'FAL_KEY',
    FLA_KEY: 'FAL_KEY',
    FALL_KEY: 'FAL_KEY',
    FAL_AI_API_KEY: 'FAL_KEY',
    FALAI_KEY: 'FAL_KEY',
    REELGATE_FAL_KEY: 'FAL_KEY',
    API_KEY_FAL: 'FAL_KEY',
    FAL_API_KEY_FILE: 'FAL_KEY_FILE',
    FAL_KEY_FLIE: 'FAL_KEY_FILE',
    FAL_KEY_FIL: 'FAL_KEY_FILE',
    FAL_KEYFILE: 'FAL_KEY_FILE',
    FAL_KEY_PATH: 'FAL_KEY_FILE',
    WAVESPEED_API_KEYFILE: 'WAVESPEED_API_KEY_FILE',
    WAVESPEED_API_KEY_FLIE: 'WAVESPEED_API_KEY_FILE',
    WAVESPEED_KEY: 'WAVESPEED_API_KEY',
    WAVESPEED_APIKEY: 'WAVESPEED_API_KEY',
    WAVE_SPEED_API_KEY: 'WAVESPEED_API_KEY',
    WAVESPED_API_KEY: 'WAVESPEED_API_KEY',
    WAVESPEED_API_KYE: 'WAVESPEED_API_KEY',
    WAVESPEED_API_TOKEN: 'WAVESPEED_API_KEY',
    Wavespeed_Api_Key: 'WAVESPEED_API_KEY',
    RUNWARE_KEY: 'RUNWARE_API_KEY',
    RUNWARE_TOKEN: 'RUNWARE_API_KEY',
    RUNWAR_API_KEY: 'RUNWARE_API_KEY',
    ARK_KEY: 'ARK_API_KEY',
    ARK_TOKEN: 'ARK_API_KEY',
    ARKAPIKEY: 'ARK_API_KEY',
    MODELARK_API_KEY: 'ARK_API_KEY',
    BYTEDANCE_API_KEY: 'ARK_API_KEY',
    BYTEPLUS_KEY: 'ARK_API_KEY',
    BYTE_PLUS_API_KEY: 'ARK_API_KEY',
    VOLC_ACCESSKEY: 'VOLC_ACCESS_KEY',
    VOLC_ACCESS_KEY_ID: 'VOLC_ACCESS_KEY',
    VOLC_SECRETKEY: 'VOLC_SECRET_KEY',
    VOLC_SECRET_ACCESS_KEY: 'VOLC_SECRET_KEY',
    VOLCENGINE_SECRET_KEY: 'VOLC_SECRET_KEY',
    VOLC_AK: 'VOLC_ACCESS_KEY',
    VOLC_SK: 'VOLC_SECRET_KEY',
    MJ_API_KEY: 'MIDJOURNEY_API_SECRET',
    MJ_API_SECRET: 'MIDJOURNEY_API_SECRET',
    MIDJOURNEY_KEY: 'MIDJOURNEY_API_SECRET',
    MIDJOURNEY_API_KEY: 'MIDJOURNEY_API_SECRET',
    MIDJORNEY_API_SECRET: 'MIDJOURNEY_API_SECRET',
    MAGIC_API_KEY: 'MAGICAPI_KEY',
    MAGICAPI_API_KEY: 'MAGICAPI_KEY',
    MAGICAPI_TOKEN: 'MAGICAPI_KEY',
    LONGSTORIES_KEY: 'LONGSTORIES_API_KEY',
    LONG_STORIES_API_KEY: 'LONGSTORIES_API_KEY',
  }
  for (const [name, meant] of Object.entries(cases)) {
    it(`${name}: ${meant}`, () => {
      const [warning = ''] = warningsOf({ [name]: secret })
      assert.match(warning, new RegExp(`^${name} is not a setting of Reelgate; did you mean ${meant}\\?`))
      // Also where another upstream has its key.
      const other = meant.startsWith('RUNWARE') ? 'FAL_KEY' : 'RUNWARE_API_KEY'
      for (const env of [{}, { [other]: secret }]) {
        const [problem = '', ...more] = problemsOf({ ...env, [name]: secret })
        assert.match(problem, new RegExp(`${name}.*${meant}.*rename or remove it, or set SANDBOX=`))
        assert.deepEqual(more, [])
        assert.doesNotMatch(problem, new RegExp(secret))
      }
    })
  }

  it('is accepted if the operator names the upstreams to use', () => {
    for (const SANDBOX of ['on', 'off']) {
      assert.deepEqual(problemsOf({ FAL_API_KEY: secret, SANDBOX }), [])
      assert.equal(warningsOf({ FAL_API_KEY: secret, SANDBOX }).length, 1)
    }
  })

  it('is accepted if its upstream has a key', () => {
    const env = { FAL_API_KEY: secret, FAL_KEY: secret }
    assert.deepEqual(problemsOf(env), [])
    assert.equal(warningsOf(env).length, 1)
    assert.deepEqual(problemsOf({ FAL_API_KEY_FILE: '/run/secrets/fal', FAL_KEY: secret }), [])
  })

  it('is ignored if it is empty', () => {
    assert.deepEqual(warningsOf({ FAL_API_KEY: '' }), [])
  })
})

describe('unrelated variables', () => {
  const names = `
    AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN GITHUB_TOKEN GH_TOKEN NPM_TOKEN FALCO_TOKEN FALCO_KEY FALCON_CLIENT_SECRET
    FALLBACK_KEY OPENAI_API_KEY ANTHROPIC_API_KEY RUNWAY_API_KEY RUNWAYML_API_SECRET RUNWAYAI_KEY REPLICATE_API_TOKEN API_KEY KEY TOKEN SECRET
    SECRET_KEY MAGIC_SECRET_KEY MAGIC_PUBLISHABLE_KEY MJ_APIKEY_PUBLIC MJ_APIKEY_PRIVATE ARC_API_KEY ART_API_KEY PARK_API_KEY SPARK_TOKEN
    FAX_KEY CAL_KEY VAL_KEY FAL_PROXY_URL FAL_KEY_ROTATION_DAYS FAL_KEY_LIFE FAL_PROFILE FAL_LOG_FILE VOLC_TASK VOLC_DISK WAVESPEED_TOKEN_URL WAVESPEED_SERVICE_HOST FAL_PORT_443_TCP_ADDR PATH HOME
    HOSTNAME SHELL PWD LANG TZ NODE_OPTIONS NODE_VERSION YARN_VERSION npm_config_cache npm_package_name KUBERNETES_SERVICE_HOST REDIS_PORT
    REDIS_SERVICE_HOST S3_PORT DATABASE_URL POSTGRES_PASSWORD VOLUME_KEY VOLCANO_TOKEN MIDDLEWARE_SECRET SOFTWARE_API_KEY BYTES_KEY
    STRIPE_SECRET_KEY SENTRY_AUTH_TOKEN DOCKER_HOST DATA_FILE LOG_FORMAT HTTP_PROXY NO_PROXY SSL_CERT_FILE XDG_DATA_DIRS`
  for (const name of names.trim().split(/\s+/))
    it(name, () => {
      assert.deepEqual(warningsOf({ [name]: secret }), [])
      assert.deepEqual(problemsOf({ [name]: secret }), [])
    })

  it('are ignored: the environment of this test', () => {
    const names = Object.keys(process.env).map((name) => [name, 'x'])
    assert.deepEqual(warningsOf({ ...Object.fromEntries(names), NODE_ENV: 'test', PORT: '1' }), [])
  })
})

describe('a misspelled setting', () => {
  const cases = { SANBOX: 'SANDBOX', REDIS_URI: 'REDIS_URL', ADMINKEY: 'ADMIN_KEY', PUBLIC_ULR: 'PUBLIC_URL' }
  for (const [name, meant] of Object.entries(cases))
    it(`${name}: a warning names ${meant}, also in production`, () => {
      const warning = [`${name} is not a setting of Reelgate; did you mean ${meant}?`]
      assert.deepEqual(warningsOf({ [name]: secret }), warning)
      assert.deepEqual(problemsOf({ [name]: secret }), [])
    })
})

describe('a renamed setting', () => {
  const webhooksOf = (env: Record<string, string>) => readConfig(env, all).webhooks.allowPrivateNetworks

  for (const [name, formerName] of Object.entries(renamedSettings)) {
    it(`${formerName} still works, and a warning names ${name}`, () => {
      const warning = [`${formerName} is deprecated: rename it to ${name}`]
      assert.deepEqual(warningsOf({ [formerName]: 'on' }), warning)
      assert.deepEqual(warningsOf({ [formerName]: 'on', [name]: '' }), warning)
      assert.deepEqual(problemsOf({ [formerName]: 'on' }), [])
    })

    it(`${name} takes precedence over ${formerName}, with a warning`, () => {
      const env = { [formerName]: 'on', [name]: 'off' }
      const warning = `${formerName} is ignored, because its new name ${name} is set too: remove ${formerName}`
      assert.deepEqual(warningsOf(env), [warning])
    })

    it(`a misspelled ${formerName}: a warning names ${name}`, () => {
      const misspelled = `${formerName}S`
      const warning = [`${misspelled} is not a setting of Reelgate; did you mean ${name}?`]
      assert.deepEqual(warningsOf({ [misspelled]: 'on' }), warning)
    })
  }

  it('has the value of its former name, unless it is set itself', () => {
    assert.equal(webhooksOf({ WEBHOOK_ALLOW_INWARD: 'off' }), false)
    assert.equal(webhooksOf({ WEBHOOK_ALLOW_INWARD: 'on' }), true)
    assert.equal(webhooksOf({ WEBHOOK_ALLOW_INWARD: 'on', WEBHOOK_ALLOW_PRIVATE_NETWORKS: 'off' }), false)
    const { upstreamOverridesFile } = readConfig({ OFFERS_FILE: 'overrides.json' }, all)
    assert.equal(upstreamOverridesFile, 'overrides.json')
  })
})

describe('a secret that is set and empty', () => {
  const cases: Record<string, [Record<string, string>, RegExp]> = {
    'an empty FILE variable': [{ FAL_KEY_FILE: '' }, /^FAL_KEY_FILE is empty/],
    'an empty FILE variable of another secret': [{ ADMIN_KEY_FILE: ' ' }, /^ADMIN_KEY_FILE is empty/],
    'a blank key': [{ FAL_KEY: '  ' }, /^FAL_KEY is set but blank/],
    'a key of quotes alone': [{ FAL_KEY: '""' }, /^FAL_KEY is set but blank/],
    'one empty key and no other': [{ FAL_KEY: '' }, /^FAL_KEY: set but empty/],
  }
  for (const [name, [env, message]] of Object.entries(cases))
    it(`${name}: a warning, and a problem in production`, () => {
      assert.match(warningsOf(env)[0] ?? '', message)
      assert.match(problemsOf(env)[0] ?? '', message)
    })

  it('an empty file: a warning, and a problem in production', async (t) => {
    const cleanup = createCleanup()
    t.after(() => cleanup.run())
    const file = join(await temporaryFolder(cleanup), 'key')
    await writeFile(file, '\n')
    const message = ['FAL_KEY_FILE names a file that is empty']
    assert.deepEqual(warningsOf({ FAL_KEY_FILE: file }), message)
    assert.deepEqual(problemsOf({ FAL_KEY_FILE: file }), message)
  })

  it('a secret that is given as a file name is not printed', () => {
    const [problem = ''] = problemsOf({ FAL_KEY_FILE: secret })
    assert.match(problem, /^FAL_KEY_FILE names a file that cannot be read/)
    assert.doesNotMatch(problem, new RegExp(secret))
  })

  it('an empty FILE variable beside the key itself is only a warning', () => {
    const env = { FAL_KEY_FILE: '', FAL_KEY: secret }
    assert.equal(warningsOf(env).length, 1)
    assert.deepEqual(problemsOf(env), [])
  })

  it('an empty FILE variable with another secret is ignored', () => {
    assert.deepEqual(warningsOf({ REDIS_URL_FILE: '', REDIS_URL: 'redis://redis:6379' }), [])
  })

  it('an empty key with another one is ignored', () => {
    assert.deepEqual(warningsOf({ FAL_KEY: '', RUNWARE_API_KEY: secret }), [])
  })
})

it('a copy of .env.example starts in production, and logs that the sandbox is on', () => {
  const env = parseEnv(readFileSync('.env.example', 'utf8')) as Record<string, string>
  assert.deepEqual(problemsOf(env), [])
  assert.deepEqual(warningsOf(env), [])
  assert.match(warningsOf({ ...env, NODE_ENV: 'production' })[0] ?? '', /^No upstream key is set/)
})

describe('.env.example', () => {
  /** The only setting that the gateway does not read. */
  const dockerComposeSetting = 'PUBLISH'
  const example = readFileSync('.env.example', 'utf8')
  const read = new Set<string>()
  const recorder = new Proxy<Record<string, string>>(
    {},
    {
      get(_, name) {
        read.add(String(name))
        // The other settings of the bucket are read only if there is one.
        return name === 'S3_BUCKET' ? 'bucket' : undefined
      },
    },
  )
  readConfig(recorder, all)

  it('names every setting', () => {
    const named = new Set(example.match(/\b[A-Z][A-Z0-9]*(_[A-Z0-9]+)*\b/g))
    const settings = [...read]
      .filter((name) => !name.endsWith('_FILE') || name === 'UPSTREAM_OVERRIDES_FILE')
      .filter((name) => !Object.values(renamedSettings).includes(name))
    assert.deepEqual(
      settings.filter((name) => !named.has(name)),
      [],
      'settings that .env.example does not name',
    )
  })

  it('names nothing else', () => {
    const named = [...example.matchAll(/^(?:# )?([A-Z][A-Z0-9_]*)=/gm)].map(([, name = '']) => name)
    assert.deepEqual(
      named.filter((name) => !read.has(name) && name !== dockerComposeSetting),
      [],
    )
  })
})

it('every key setting is found under the name of its upstream', () => {
  for (const name of credentials) {
    const [upstream] = name.split('_')
    const [warning = ''] = warningsOf({ [`${upstream}_TOKEN`]: secret })
    assert.ok(warning.includes(name.replace('SECRET_KEY', 'ACCESS_KEY')), `${name}: ${warning}`)
  }
})
