-- Sends the body in the file that the first argument names, with a number of its own for each where NUMBER stands.
local before, after, number = "", "", 0

function init(args)
  local file = io.open(args[1])
  before, after = file:read("a"):match("^(.*)NUMBER(.*)$")
  wrk.method = args[2]
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  number = number + 1
  return wrk.format(nil, nil, nil, before .. number .. after)
end

done = dofile("benchmarks/lua/report.lua")
