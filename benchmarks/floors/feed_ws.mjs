// Node's `ws` as a fan-out: the same wire as feed_floor.c.
import { createInterface } from "node:readline";
import { WebSocketServer } from "ws";

const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
server.on("listening", () => console.log(`port ${server.address().port}`));

const now = () => process.hrtime.bigint();

async function publish(events, pauseUs, bytes) {
  const before = process.cpuUsage();
  const begun = now();
  for (let number = 0; number < events; number += 1) {
    if (pauseUs) {
      const left = Number(begun - now()) / 1e6 + (number * pauseUs) / 1e3;
      if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
    }
    const frame = Buffer.from(`TS${now()} `.padEnd(bytes, "x"));
    for (const client of server.clients) client.send(frame, { binary: false });
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  const used = process.cpuUsage(before);
  console.log(`${used.user + used.system} ${begun}`);
}

for await (const line of createInterface({ input: process.stdin })) await publish(...line.split(" ").map(Number));
process.exit(0);
