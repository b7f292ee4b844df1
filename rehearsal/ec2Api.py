"""The API of EC2, S3, IAM and STS, by moto, with what a rehearsal needs on top of it:

- RunInstances honours its client token, as EC2 does: the same token twice gives the same instances.
- GetConsoleOutput answers what the machine really printed, from $TUTTI_CONSOLE/<instance id>/console.log.
- A bucket's policy refuses nothing: moto reads its statements without their conditions, and a policy that refuses what
  does not come by TLS would shut everybody out.
- A capacity of zero can't be had here: that and other faults are injected in front of it.
- It ends with its parent.
"""

import os
import sys
import threading
import time

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.models.instances import InstanceBackend
from moto.ec2.responses.general import General
from moto.ec2.utils import Base64EncodedString
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.server import main

CONSOLE_BYTES = 65536
launch = InstanceBackend.run_instances
launching = threading.Lock()


def run_instances(self, image_id, count, *args, **kwargs):
    token = kwargs.get("client_token")
    # One at a time: two requests with one token may come together.
    with launching:
        made = self.__dict__.setdefault("made_by_token", {})
        if token in made and token != "ABCDE":
            return made[token]
        reservation = launch(self, image_id, count, *args, **kwargs)
        made[token] = reservation
        return reservation


def get_console_output(self):
    instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
    answer = {"InstanceId": instance.id, "Timestamp": utcnow()}
    try:
        path = os.path.join(os.environ.get("TUTTI_CONSOLE", ""), instance.id, "console.log")
        with open(path, "rb") as console:
            console.seek(0, os.SEEK_END)
            console.seek(max(0, console.tell() - CONSOLE_BYTES))
            text = console.read().decode("utf-8", "replace")
        answer["Output"] = Base64EncodedString.from_raw_string(text)
    except OSError:
        pass
    return ActionResult(answer)


def end_with(parent):
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


InstanceBackend.run_instances = run_instances
General.get_console_output = get_console_output
FakeBucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL
threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
sys.exit(main(sys.argv[1:]))
