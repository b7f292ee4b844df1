"""The API of EC2, S3, IAM and STS, by moto, with what a rehearsal needs on top of it:

- RunInstances honours its client token, as EC2 does: the same token twice gives the same instances.
- A private address that is kept by a reservation of its subnet goes to those who name it only, and to one at a time.
- GetConsoleOutput answers what the machine really printed, from $TUTTI_CONSOLE/<instance id>/console.log.
- A reboot leaves a trace, by which whoever drives machines knows of it: the reason of the instance's last transition.
- Public addresses, elastic ones too, are of 54.214.0.0/16, each handed out once. An elastic address stays with its
  machine when that is stopped and started.
- A stopped machine can be given another private address, which EC2 does not do to it but a cluster must live with:
  ModifyInstanceAttribute with Attribute=privateIpAddress.
- A bucket's policy refuses nothing: moto reads its statements without their conditions, and a policy that refuses what
  does not come by TLS would shut everybody out.
- A capacity of zero can't be had here: that and other faults are injected in front of it.
- It ends with its parent.
"""

import ipaddress
import itertools
import os
import sys
import threading
import time

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import elastic_ip_addresses, elastic_network_interfaces
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.models.subnets import Subnet
from moto.ec2.responses.general import General
from moto.ec2.utils import Base64EncodedString
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.server import main

CONSOLE_BYTES = 65536
launch = InstanceBackend.run_instances
launching = threading.Lock()
start_nic, stop_nic, modify = NetworkInterface.start, NetworkInterface.stop, InstanceBackend.modify_instance_attribute
numbers = itertools.count()
take = Subnet.request_ip
give = Subnet.get_available_subnet_ip


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


def request_ip(self, ip, instance):
    if ipaddress.ip_address(ip) not in self.cidr:
        raise EC2ClientError("InvalidParameterValue", f"Address {ip} does not fall within the subnet's address range")
    if ip in self._subnet_ips:
        raise EC2ClientError("InvalidIPAddress.InUse", f"Address {ip} is in use.")
    take(self, ip, instance)


def get_available_subnet_ip(self, instance):
    # moto gives away again what was given back, kept or not.
    self._unused_ips -= {str(ip) for ip in self._reserved_ips}
    return give(self, instance)


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


def reboot(self):
    self.reboots = getattr(self, "reboots", 0) + 1
    self._reason = f"User initiated reboot {self.reboots}"


def public_address():
    number = next(numbers)
    return f"54.214.{number // 250 % 250 + 1}.{number % 250 + 1}"


def has_elastic(nic):
    return any(address.eni is nic for address in nic.ec2_backend.addresses)


def modify_instance_attribute(self, instance_id, key, value):
    if key != "private_ip_address":
        return modify(self, instance_id, key, value)
    instance = self.get_instance(instance_id)
    nic = instance.nics[0]
    nic.subnet.request_ip(value, instance)
    nic.subnet.del_subnet_ip(nic.private_ip_address)
    nic.private_ip_address = value
    nic.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": value}]
    return instance


def end_with(parent):
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


InstanceBackend.run_instances = run_instances
Subnet.request_ip = request_ip
Subnet.get_available_subnet_ip = get_available_subnet_ip
InstanceBackend.modify_instance_attribute = modify_instance_attribute
Instance.reboot = reboot
elastic_ip_addresses.random_ip = elastic_network_interfaces.random_public_ip = public_address
NetworkInterface.start = lambda nic: None if has_elastic(nic) else start_nic(nic)
NetworkInterface.stop = lambda nic: None if has_elastic(nic) else stop_nic(nic)
General.get_console_output = get_console_output
FakeBucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL
threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
sys.exit(main(sys.argv[1:]))
