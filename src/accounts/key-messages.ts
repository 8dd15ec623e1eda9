import type { AccessMode } from './access.ts'

/** How an operator creates a key in this installation. */
export type KeyHelp = {
  /** The command for API keys. */
  keysCommand: string
  /** The name of the file that records that a key has existed. */
  markerFile: string
}

export const authOffWarning =
  'AUTH=off: requests without a key are accepted, so this key protects nothing. Set AUTH=keys and restart the gateway'

export function createKeyCommand({ keysCommand }: Pick<KeyHelp, 'keysCommand'>): string {
  return `${keysCommand} create --name NAME`
}

/** Explains why a request needs a key although none exists; `undefined`: keys exist. */
export function explainLock(access: AccessMode, help: KeyHelp): string | undefined {
  const command = createKeyCommand(help)
  if (access === 'locked')
    return `This gateway is locked: it can be reached by others, and no API key exists. Create the first one with: ${command}`
  if (access === 'lost')
    return `This gateway is locked: API keys existed, and Redis has lost them. Restore Redis, or create a new one with: ${command}. To accept requests without a key again, delete the file ${help.markerFile} in DATA_DIR and restart`
  // The request was forwarded by a proxy on this machine.
  if (access === 'anonymous')
    return `Without an API key, only this machine may use the gateway, and this request comes from elsewhere. Create a key with: ${command}`
  return undefined
}
