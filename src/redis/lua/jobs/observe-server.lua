-- Checks which Redis server answers, and begins the pause of purchases when it is another one than before.
-- KEYS epoch  hash: the Redis server that the workers know
-- ARGV graceMs      how long purchases pause
-- ARGV isNewServer  '1': the caller knows that the server is another one; '0'
-- RETURNS { ms for which nothing may be purchased, server }
-- @include purchase-pause

local pausedMs, server = purchasePause(epoch, tonumber(graceMs), isNewServer == '1')
return { string.format('%.0f', pausedMs), server }
