import ipaddr from 'ipaddr.js'

export type AddressTest = (address: string) => boolean

const rangeNames: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

/** An IP address without brackets, zone and IPv4 mapping; `undefined`: it is none. */
export function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const bareAddress = text.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '')
  // `isValid` alone takes shortened and octal IPv4 forms too.
  const isValid = bareAddress.includes(':')
    ? ipaddr.IPv6.isValid(bareAddress)
    : ipaddr.IPv4.isValidFourPartDecimal(bareAddress)
  return isValid ? ipaddr.process(bareAddress) : undefined
}

export function isLoopbackAddress(text: string): boolean {
  return parseAddress(text)?.range() === 'loopback'
}

/** Addresses, CIDR ranges and the names `loopback`, `linklocal` and `uniquelocal`; `undefined`: an entry is none of them. */
export function parseAddressRanges(entries: readonly string[]): AddressTest | undefined {
  const ranges = entries.flatMap((entry) => rangeNames[entry] ?? [entry]).map(parseRange)
  if (!ranges.every((range) => range !== undefined)) return undefined
  return (text) => {
    const address = parseAddress(text)
    if (address === undefined) return false
    return ranges.some(([start, bits]) => start.kind() === address.kind() && address.match(start, bits))
  }
}

function parseRange(entry: string): [ipaddr.IPv4 | ipaddr.IPv6, number] | undefined {
  const [start = '', bits, ...extraParts] = entry.split('/')
  const address = parseAddress(start)
  if (address === undefined || extraParts.length > 0) return undefined
  const maxBits = address.kind() === 'ipv4' ? 32 : 128
  if (bits === undefined) return [address, maxBits]
  const isMapped = start.includes(':') && maxBits === 32
  const prefixLength = Number(bits) - (isMapped ? 96 : 0)
  return /^\d{1,3}$/.test(bits) && prefixLength >= 0 && prefixLength <= maxBits
    ? [address, prefixLength]
    : undefined
}
