-- For wrk: posts the lines of a file, each once; every thread has lines of its own.
-- Usage: wrk -t N … -s post.lua URL -- FILE N
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  bodies, at = {}, 0
  local line_number = 0
  for line in io.lines(arguments[1]) do
    if line_number % tonumber(arguments[2]) == number then bodies[#bodies + 1] = line end
    line_number = line_number + 1
  end
end

function request()
  at = at + 1
  return wrk.format("POST", "/entries", nil, bodies[at])
end

function done(summary, latency, requests)
  io.write(string.format("answer p50 %.0f ms  p99 %.0f ms; errors %d, not answered 200: %d\n",
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    summary.errors.status))
end
