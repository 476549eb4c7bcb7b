"""An HTTP-to-AMQP bridge.

POST /KEY publishes the request's body with the routing key KEY; GET / tells how many messages went
out under each key, which Redis remembers. The broker, Redis and the port come from the environment.
"""

import asyncio
import os

import aioamqp
import tornado.web
from redis_structures import RedisHash


class Publish(tornado.web.RequestHandler):
    def initialize(self, channel, exchange, counts):
        self.channel = channel
        self.exchange = exchange
        self.counts = counts

    async def post(self, key):
        await self.channel.basic_publish(
            self.request.body, exchange_name=self.exchange, routing_key=key
        )
        self.counts.incr(key)
        self.set_status(202)


class Counts(tornado.web.RequestHandler):
    def initialize(self, counts):
        self.counts = counts

    def get(self):
        self.write(self.counts.all)


async def main():
    exchange = os.environ.get("BRIDGE_EXCHANGE", "bridge")
    counts = RedisHash(
        "bridge", host=os.environ.get("BRIDGE_REDIS", "localhost"), encoding="utf8"
    )
    transport, protocol = await aioamqp.connect(os.environ.get("BRIDGE_AMQP", "localhost"))
    channel = await protocol.channel()
    await channel.exchange_declare(exchange, "topic")
    application = tornado.web.Application(
        [
            (r"/", Counts, {"counts": counts}),
            (r"/(.+)", Publish, {"channel": channel, "exchange": exchange, "counts": counts}),
        ]
    )
    application.listen(int(os.environ.get("BRIDGE_PORT", "8080")))
    try:
        await protocol.wait_closed()
    finally:
        transport.close()


def run():
    asyncio.run(main())


if __name__ == "__main__":
    run()
