import assert from "node:assert/strict";
import { test } from "node:test";

import { makeFile, problem, until, World } from "./world.js";

const tickets = (world, operation) => world.app.named(operation).map(({ headers }) => headers["Upload-Ticket"]);

test("a ticket that a sign call renews is used from then on, and saved", async () => {
  const world = new World({ parallel: 1 });
  world.app.renewal = { ticket: "renewed", expires: 9.5e9 };
  world.storage.reply = ({ index }) => (index < 30 ? 201 : undefined);
  const run = world.upload(makeFile(5000));
  await until(() => world.storage.open.length === 1 && world.storage.open[0].index === 30);
  const [record] = world.records.saved.values();
  assert.deepEqual([record.ticket, record.expires], ["renewed", 9.5e9]);
  world.storage.reply = () => 201;
  world.storage.open[0].answer(201);
  await world.end(run);
  assert.notEqual(tickets(world, "sign")[0], "renewed");
  assert.ok(tickets(world, "sign").slice(1).every((ticket) => ticket === "renewed"));
  assert.deepEqual(tickets(world, "complete"), ["renewed"]);
});

test("a ticket that is renewed on resume is used from then on, and saved", async () => {
  const world = new World({ parallel: 1 });
  world.storage.reply = () => 503;
  await assert.rejects(world.end(world.upload(makeFile(500), { retries: 0 })));
  world.app.renewal = { ticket: "renewed", expires: 9.5e9 };
  world.app.intercept = ({ operation }) => (operation === "sign" ? problem(503, "storage-unavailable") : undefined);
  await assert.rejects(world.end(world.upload(makeFile(500), { retries: 0 })));
  assert.equal([...world.records.saved.values()][0].ticket, "renewed");
  world.app.intercept = () => undefined;
  world.storage.reply = () => 201;
  await world.end(world.upload(makeFile(500)));
  assert.equal(tickets(world, "status").at(-1), "renewed");
  assert.deepEqual(tickets(world, "complete"), ["renewed"]);
});
