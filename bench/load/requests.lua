-- Draws a random line of a file for each request: path, tab, bearer token (may be empty). Ends with one line of JSON.
local lines = {}
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("seed", threads)
end

function init(args)
  math.randomseed(os.time() + seed)
  for line in io.lines(args[1]) do
    local path, token = line:match("^(%S+)\t(%S*)$")
    local headers = {}
    if token ~= "" then headers["Authorization"] = "Bearer " .. token end
    lines[#lines + 1] = wrk.format("GET", path, headers)
  end
end

function request()
  return lines[math.random(#lines)]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"p50_us":%d,"p99_us":%d,"failed":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
