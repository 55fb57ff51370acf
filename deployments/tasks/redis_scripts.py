"""The scripts that the journal runs in Redis. Each is atomic: Redis runs nothing else between its lines.

The *epoch* is counted up whenever the journal gets another owner; a write of an earlier epoch is refused. Within an
epoch each write has a *sequence number*, which only grows. A write that the network delayed has a number below that of
its task, or below the *floor* that was set when its task was forgotten. It is refused too.

The key `lease` names the owner's cluster, and expires with the lease. After a release it is empty, for as long as
mirrors may show what the owner told them. The key `home` lives longer, and keeps the journal for that cluster. The set
`busy` has the clusters that callers have come to.

At `maxmemory`, Redis refuses a command that needs memory, unless the script has deleted something before. So a write
for a task that is already there deletes first, and always succeeds; only new tasks are refused.
"""

from typing import NamedTuple

NOT_THE_OWNER, TOO_OLD, DONE, BELOW_FLOOR = -1, 0, 1, 2
"""What the scripts answer. The comments on `TAKE` and `RENEW` say what these two answer instead."""


class Script(NamedTuple):
    """A script in Lua, and the names of the keys that it needs."""

    text: str
    keys: tuple[str, ...]


_IF_OWNER = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end\n"

WRITE = Script(  # ARGV: epoch, number, id, entry, 'put', 'drop' or 'keep', the work to put
    _IF_OWNER
    + """
local number, id = tonumber(ARGV[2]), ARGV[3]
local known = redis.call('HGET', KEYS[4], id)
if known and tonumber(known) >= number then return 0 end
if not known and tonumber(redis.call('GET', KEYS[5]) or '0') >= number then return 2 end
if redis.call('HEXISTS', KEYS[2], id) == 1 then redis.call('HDEL', KEYS[4], id) end
if ARGV[5] == 'drop' then redis.call('HDEL', KEYS[3], id) end
redis.call('HSET', KEYS[4], id, ARGV[2])
redis.call('HSET', KEYS[2], id, ARGV[4])
if ARGV[5] == 'put' then redis.call('HSET', KEYS[3], id, ARGV[6]) end
return 1
""",
    ("epoch", "entries", "works", "numbers", "floor"),
)

FORGET = Script(  # ARGV: epoch, number, ids
    _IF_OWNER
    + """
for place = 3, #ARGV do
  for key = 2, 4 do redis.call('HDEL', KEYS[key], ARGV[place]) end
end
if tonumber(redis.call('GET', KEYS[5]) or '0') < tonumber(ARGV[2]) then redis.call('SET', KEYS[5], ARGV[2]) end
return 1
""",
    ("epoch", "entries", "works", "numbers", "floor"),
)

# ARGV: cluster, milliseconds of lease and home, the ground. It answers: epoch or 0, milliseconds left, 1 where retired.
TAKE = Script(
    """
local me, ground = ARGV[1], ARGV[4]
local holder, left = redis.call('GET', KEYS[2]), math.max(redis.call('PTTL', KEYS[2]), 0)
local owner, wanted = redis.call('GET', KEYS[3]), redis.call('GET', KEYS[5])
local is_mine = not owner or owner == me
local is_kept = holder and holder ~= me or wanted and wanted ~= me
  or not is_mine and ground == 'idle' and redis.call('EXISTS', KEYS[8]) == 1
if is_kept and ground ~= 'force' then
  local is_retired = not is_mine and redis.call('SISMEMBER', KEYS[4], owner) == 1
    and redis.call('SISMEMBER', KEYS[4], me) == 1
  return {0, left, is_retired and 1 or 0}
end
redis.call('DEL', KEYS[5], KEYS[6], KEYS[7])
redis.call('SET', KEYS[2], me, 'PX', ARGV[2])
redis.call('SET', KEYS[8], '', 'PX', ARGV[3])
redis.call('SET', KEYS[3], me)
if ground ~= 'idle' then redis.call('SADD', KEYS[4], me) end
return {redis.call('INCR', KEYS[1]), left, 0}
""",
    ("epoch", "lease", "owner", "busy", "wanted", "numbers", "floor", "home"),
)

# ARGV: epoch, cluster, milliseconds of lease and home, 1 where busy. It answers 1 where another cluster asks for it.
RENEW = Script(
    _IF_OWNER
    + """
if redis.call('PEXPIRE', KEYS[2], ARGV[3]) == 0 then
  redis.call('DEL', KEYS[2])
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
end
redis.call('SET', KEYS[4], '', 'PX', ARGV[4])
if ARGV[5] == '1' then redis.call('SADD', KEYS[5], ARGV[2]) end
local wanted = redis.call('GET', KEYS[3])
return (wanted and wanted ~= ARGV[2]) and 1 or 0
""",
    ("epoch", "lease", "wanted", "home", "busy"),
)

# ARGV: epoch; it is no error if the lease has run out.
RELEASE = Script(_IF_OWNER + "redis.call('DEL', KEYS[2], KEYS[3])\nreturn 1\n", ("epoch", "lease", "home"))

PUT = Script(  # ARGV: epoch, 'entries' or 'works', then an id and a value for each
    _IF_OWNER
    + """
local key = ARGV[2] == 'entries' and KEYS[2] or KEYS[3]
for place = 3, #ARGV, 2 do redis.call('HSET', key, ARGV[place], ARGV[place + 1]) end
return 1
""",
    ("epoch", "entries", "works"),
)

# ARGV: epoch, schema
SET_SCHEMA = Script(_IF_OWNER + "redis.call('SET', KEYS[2], ARGV[2])\nreturn 1\n", ("epoch", "schema"))
