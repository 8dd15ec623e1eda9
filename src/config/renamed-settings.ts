/** Settings that have been renamed: new name -> former name. The former name still works, with a warning at start. */
export const renamedSettings: Readonly<Record<string, string>> = {
  UPSTREAM_OVERRIDES_FILE: 'OFFERS_FILE',
  WEBHOOK_ALLOW_PRIVATE_NETWORKS: 'WEBHOOK_ALLOW_INWARD',
}

/** The name that a setting has today. */
export function currentSettingName(name: string): string {
  const renamed = Object.entries(renamedSettings).find(([, formerName]) => formerName === name)
  return renamed?.[0] ?? name
}
