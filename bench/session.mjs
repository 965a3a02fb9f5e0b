// Signs in as a browser does: the form's own endpoint, answered with a redirect and the session's cookie.
//
// Who and where come from the environment, so that no password stands in a list of processes.
export const base = need("BENCH_URL");
export const slug = need("BENCH_WORKSPACE");

function need(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

export async function signIn() {
  const form = new URLSearchParams({ email: need("BENCH_EMAIL"), password: need("BENCH_PASSWORD") });
  const answer = await fetch(`${base}/api/session/sign_in`, {
    method: "POST",
    body: form,
    redirect: "manual",
    headers: { origin: base, referer: `${base}/sign-in`, accept: "text/html" },
  });
  const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0]);
  if (!cookies.length) {
    const said = (await answer.text()).slice(0, 300);
    throw new Error(`signing in answered ${answer.status} and no cookie: ${answer.headers.get("location") ?? said}`);
  }
  return cookies.join("; ");
}

/** Unix time in microseconds. */
export const nowUs = () => Math.round((performance.timeOrigin + performance.now()) * 1000);
