-- Sends each line of a file once, in order: path, tab, bearer token, tab, key, tab, JSON. Ends with one line of JSON.
local lines = {}
local threads = {}
local at = 0
made, refused, other = 0, 0, 0

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  for line in io.lines(args[1]) do
    local path, token, key, body = line:match("^(%S+)\t(%S+)\t(%S+)\t(.+)$")
    local headers = {
      ["Authorization"] = "Bearer " .. token, ["Idempotency-Key"] = key, ["Content-Type"] = "application/json"
    }
    lines[#lines + 1] = wrk.format("POST", path, headers, body)
  end
end

function request()
  at = at + 1
  if at > #lines then at = #lines; spent = (spent or 0) + 1 end
  return lines[at]
end

function response(status)
  if status == 201 then made = made + 1
  elseif status == 409 then refused = refused + 1
  else other = other + 1 end
end

function done(summary, latency)
  local m, r, o, s = 0, 0, 0, 0
  for _, thread in ipairs(threads) do
    m = m + thread:get("made")
    r = r + thread:get("refused")
    o = o + thread:get("other")
    s = s + (thread:get("spent") or 0)
  end
  local e = summary.errors
  io.write(string.format(
    '{"made":%d,"refused":%d,"microseconds":%d,"p50_us":%d,"p99_us":%d,"failed":%d,"spent":%d}\n',
    m, r, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.timeout + o, s))
end
