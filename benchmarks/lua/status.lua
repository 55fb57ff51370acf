-- Reads the paths in the file that the first argument names, one after another.
local paths, at = {}, 0

function init(args)
  for path in io.lines(args[1]) do paths[#paths + 1] = wrk.format("GET", path) end
end

function request()
  at = at % #paths + 1
  return paths[at]
end

done = dofile("benchmarks/lua/report.lua")
