-- Sends each line of a file once: fields with tabs between, the path, then "Name: value" headers, the body last.
-- Stops when all have been answered; ends with one line of JSON.
local ffi = require("ffi")
ffi.cdef("int getpid(void); int kill(int pid, int number);")
local SIGINT = 2
local posts, answered = {}, 0

function init(args)
  for line in io.lines(args[1]) do
    local fields = {}
    for field in line:gmatch("[^\t]+") do fields[#fields + 1] = field end
    local headers = {["Content-Type"] = "application/json"}
    for position = 2, #fields - 1 do
      local name, value = fields[position]:match("^([^:]+): (.*)$")
      headers[name] = value
    end
    posts[#posts + 1] = wrk.format("POST", fields[1], headers, fields[#fields])
  end
end

local sent = 0

function request()
  sent = sent + 1
  -- The last connections ask again for what was sent already, until everything is answered.
  return posts[(sent - 1) % #posts + 1]
end

function response()
  answered = answered + 1
  -- As Ctrl-C would: wrk itself sleeps until its time is over, and only a signal wakes it.
  if answered == #posts then ffi.C.kill(ffi.C.getpid(), SIGINT) end
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"p50_us":%d,"p99_us":%d,"failed":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
