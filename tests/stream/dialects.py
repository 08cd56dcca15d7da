"""Messages in the three dialects of streams."""

import io
import json

import fastavro

from tests.sources.packet_files import JD, avro, avro_schema, detection, limit, packet
from tests.sources.test_boom import boom_packet, boom_schema
from ztfml.stream.messages import Message

CANDID = 2646176269213000000


def ztf(k, **changes):
    """The bytes of packet k, with a history that packets of its object share."""
    previous = [limit(9, 1), detection(4, 2, 19.2), detection(2, 3, 18.9)]
    fields = {"jd": JD + 0.001 * k, "pid": 100 + k, "drb": 0.9} | changes
    return None, avro(packet(CANDID + k, _name(k), previous, **fields))


def babamul(k):
    made = boom_packet(magpsf=True)
    made["candid"] = made["candidate"]["candid"] = CANDID + k
    made["objectId"], made["candidate"]["jd"] = _name(k), JD + 0.001 * k
    return None, avro(made, schema=boom_schema(), codec="snappy")


def fink(k):
    """A record without its schema, which is the key of the message."""
    stream = io.BytesIO()
    schema = avro_schema()
    one = packet(CANDID + k, _name(k), [limit(7, 5), detection(1, 6)], jd=JD + 0.001 * k)
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), one)
    return json.dumps(schema).encode(), stream.getvalue()


DIALECTS = (ztf, babamul, fink)


def _name(k):
    return f"ZTF20{'abcdefghij'[k // 3 % 10]}{'abcdefghij'[k // 30 % 10]}aaaaa"


def contents(n):
    """Return key and value of n messages, in the three dialects in turn."""
    return [DIALECTS[k % 3](k) for k in range(n)]


def messages(n):
    return [Message("ztf", k % 2, k // 2, key, value) for k, (key, value) in enumerate(contents(n))]
