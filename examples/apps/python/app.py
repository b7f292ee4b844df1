"""A WSGI app with one dependency. With gunicorn in requirements.txt it would be served by that."""

import json
import os
from wsgiref.simple_server import make_server

import cowsay


def app(environ, start_response):
    index = json.loads(os.environ.get("VCAP_APPLICATION", "{}")).get("instance_index", 0)
    body = cowsay.get_output_string("cow", f"hello from instance {index}") + "\n"
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [body.encode()]


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "8080"))
    print(f"listening on {port}")
    make_server("", port, app).serve_forever()
