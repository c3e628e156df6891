-- Posts a file's content: wrk -s post.lua URL -- BODY_FILE CONTENT_TYPE; prints one line of JSON.
function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  wrk.body = file:read("*a")
  file:close()
  wrk.method = "POST"
  wrk.headers["Content-Type"] = arguments[2]
  wrk.headers["Accept"] = arguments[2]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    'result {"requests": %d, "microseconds": %d, "mean": %d, "p50": %d, "p90": %d, "p99": %d, '
    .. '"status": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d}\n',
    summary.requests, summary.duration,
    latency.mean, latency:percentile(50), latency:percentile(90), latency:percentile(99),
    errors.status, errors.connect, errors.read, errors.write, errors.timeout))
end
