-- redisTime(): the time of Redis, unix ms.

local function redisTime()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
