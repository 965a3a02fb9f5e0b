// What two devices answer to the tests' one question: `node answers.mjs > answers.json`. The keys are made for it and thrown
// away, so each run makes other answers; the tests hold with all of them.
import { createHash, generateKeyPairSync, sign } from "node:crypto";

const HOST = "clarity.example";
const CHALLENGE = Buffer.alloc(32, 7).toString("base64url");
const PRESENT = 1, UNLOCKED = 4, WITH_KEY = 64;

const sha256 = (bytes) => createHash("sha256").update(bytes).digest();
const u16 = (n) => Buffer.from([n >> 8, n & 255]);
const u32 = (n) => Buffer.concat([u16(n >>> 16), u16(n & 65535)]);
const said = (type, origin) => Buffer.from(JSON.stringify({ type, challenge: CHALLENGE, origin, crossOrigin: false }));
const data = (host, flags, counter, rest = Buffer.alloc(0)) =>
  Buffer.concat([sha256(host), Buffer.from([flags]), u32(counter), rest]);

function device(byte) {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x, y } = publicKey.export({ format: "jwk" });
  const id = Buffer.alloc(16, byte);
  const head = { id: id.toString("base64url"), rawId: id.toString("base64url"), type: "public-key", clientExtensionResults: {} };
  // CBOR by hand: a map of five, then of three.
  const bytes = (text) => Buffer.concat([Buffer.from([0x58, 32]), Buffer.from(text, "base64url")]);
  const key = Buffer.concat([Buffer.from([0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21]), bytes(x), Buffer.from([0x22]), bytes(y)]);
  const made = Buffer.concat([Buffer.alloc(16), u16(id.length), id, key]);
  const text = (word) => Buffer.concat([Buffer.from([0x60 + word.length]), Buffer.from(word)]);
  const register = () => {
    const auth = data(HOST, PRESENT | UNLOCKED | WITH_KEY, 1, made);
    const object = Buffer.concat([
      Buffer.from([0xa3]), text("fmt"), text("none"), text("attStmt"), Buffer.from([0xa0]), text("authData"),
      Buffer.from([0x58, auth.length]), auth,
    ]);
    const client = said("webauthn.create", `https://${HOST}`);
    return {
      ...head,
      response: {
        attestationObject: object.toString("base64url"),
        clientDataJSON: client.toString("base64url"),
        transports: ["internal"],
      },
    };
  };
  const show = (counter, { host = HOST, origin = `https://${HOST}`, flags = PRESENT | UNLOCKED } = {}) => {
    const auth = data(host, flags, counter);
    const client = said("webauthn.get", origin);
    const signature = sign("sha256", Buffer.concat([auth, sha256(client)]), privateKey);
    return {
      ...head,
      response: {
        authenticatorData: auth.toString("base64url"),
        clientDataJSON: client.toString("base64url"),
        signature: signature.toString("base64url"),
        userHandle: null,
      },
    };
  };
  return { register, show };
}

const [phone, laptop] = [device(0xa1), device(0xb2)];
const answers = {
  challenge: CHALLENGE,
  phone: phone.register(),
  phone_2: phone.show(2),
  phone_3: phone.show(3),
  phone_4: phone.show(4),
  phone_locked: phone.show(9, { flags: PRESENT }),
  phone_elsewhere: phone.show(9, { origin: "https://clarity.example.evil.example" }),
  phone_of_another_host: phone.show(9, { host: "evil.example" }),
  laptop: laptop.register(),
  laptop_2: laptop.show(2),
};
process.stdout.write(`${JSON.stringify(answers, null, 1)}\n`);
