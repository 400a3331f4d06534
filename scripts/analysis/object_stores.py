"""Real servers of the S3 protocol on this machine, for scripts/check-s3.

Each has a user, `key` and `secret`, an empty bucket, and answers at `port` of this machine; `secure` is its
port with TLS, if it has one, whose certificate is `authority`.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid

# Run by the Python of the environment, which has boto3.
PREPARE_MOTO = """
import boto3, json, sys
store = dict(endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="x",
             aws_secret_access_key="y")
users = boto3.client("iam", **store)
users.create_user(UserName="mrdib")
users.put_user_policy(UserName="mrdib", PolicyName="s3", PolicyDocument=json.dumps(
    {"Version": "2012-10-17",
     "Statement": [{"Effect": "Allow", "Action": ["s3:*", "iam:*"], "Resource": "*"}]}))
key = users.create_access_key(UserName="mrdib")["AccessKey"]
boto3.client("s3", **store).create_bucket(Bucket=sys.argv[2])
print(key["AccessKeyId"], key["SecretAccessKey"])
"""
# The signed requests that moto accepts unchecked: those of the script above.
UNCHECKED = 4
REPLACE_MOTO = """
import boto3, os, sys
users = boto3.client("iam", endpoint_url=sys.argv[1], region_name="us-east-1",
                     aws_access_key_id=sys.argv[2], aws_secret_access_key=sys.argv[3])
key = users.create_access_key(UserName="mrdib")["AccessKey"]
users.delete_access_key(UserName="mrdib", AccessKeyId=sys.argv[2])
print(key["AccessKeyId"], key["SecretAccessKey"])
"""
CREATE = """
import boto3, sys
boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id=sys.argv[2],
             aws_secret_access_key=sys.argv[3]).create_bucket(Bucket=sys.argv[4])
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def await_port(port, seconds=60):
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise RuntimeError(f"nothing listens at port {port} after {seconds} s") from None
            time.sleep(0.2)


def make_certificate(folder):
    """A key, and a certificate for this machine that is its own authority."""
    key, certificate = os.path.join(folder, "tls.key"), os.path.join(folder, "ca.crt")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True)
    return key, certificate


class Moto:
    """moto, which keeps objects in memory and checks signatures with botocore."""
    secure = None

    def __init__(self, folder, python, bucket):
        self.python = python
        self.port = free_port()
        with open(os.path.join(folder, "store.log"), "w") as log:
            self.process = subprocess.Popen(
                [os.path.join(os.path.dirname(python), "moto_server"), "-H", "127.0.0.1", "-p",
                 str(self.port)], stdout=log, stderr=log,
                env=dict(os.environ, INITIAL_NO_AUTH_ACTION_COUNT=str(UNCHECKED)))
        try:
            await_port(self.port)
            self.key, self.secret = self.read(PREPARE_MOTO, bucket)
        except BaseException:
            self.stop()
            raise

    def replace_key(self):
        """The user gets another key; the one before is refused."""
        self.key, self.secret = self.read(REPLACE_MOTO, self.key, self.secret)

    def read(self, code, *arguments):
        return subprocess.run(
            [self.python, "-c", code, f"http://127.0.0.1:{self.port}", *arguments], check=True,
            capture_output=True, text=True).stdout.split()

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Ceph:
    """Ceph with one monitor, one disk (a file) and its object gateway, which also speaks TLS."""
    PACKAGES = {"ceph-mon": "ceph-mon", "ceph-osd": "ceph-osd", "radosgw": "radosgw",
                "ceph": "ceph-common"}

    def __init__(self, folder, python, bucket):
        missing = [package for name, package in self.PACKAGES.items() if not shutil.which(name)]
        if missing:
            subprocess.run(
                ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], check=True,
                stdout=subprocess.DEVNULL, env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))
        self.folder = os.path.join(folder, "ceph")
        for name in ("mon", "osd", "log"):
            os.makedirs(os.path.join(self.folder, name))
        self.key, self.secret = "MRDIBCHECK", uuid.uuid4().hex
        self.port, self.secure, monitor = free_port(), free_port(), free_port()
        key, self.authority = make_certificate(self.folder)
        self.processes = []
        cluster = str(uuid.uuid4())
        configuration = os.path.join(self.folder, "ceph.conf")
        with open(configuration, "w") as file:
            file.write(f"""\
[global]
fsid = {cluster}
mon_host = v1:127.0.0.1:{monitor}
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
keyring = {self.folder}/keyring
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pgp_num = 8
osd_pool_default_pg_autoscale_mode = off
mon_allow_pool_size_one = true
osd_crush_chooseleaf_type = 0
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
run_dir = {self.folder}
pid_file = {self.folder}/$name.pid
admin_socket = {self.folder}/$name.socket
log_file = {self.folder}/log/$name.log
mon_data = {self.folder}/mon
osd_data = {self.folder}/osd
bluestore_block_size = {8 << 30}
osd_memory_target = {896 << 20}
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:{self.port} ssl_endpoint=127.0.0.1:{self.secure} \
ssl_certificate={self.authority} ssl_private_key={key}
""")
        self.environment = dict(os.environ, CEPH_CONF=configuration)
        open(os.path.join(self.folder, "keyring"), "w").close()
        try:
            self.start(cluster, monitor)
            await_port(self.secure)
            self.run("radosgw-admin", "user", "create", "--uid", "mrdib", "--display-name", "mrdib",
                     "--access-key", self.key, "--secret-key", self.secret)
            self.run(python, "-c", CREATE, f"http://127.0.0.1:{self.port}", self.key, self.secret, bucket)
        except BaseException:
            self.stop()
            raise

    def replace_key(self):
        """The user gets another key; the one before is refused."""
        former = self.key
        self.key, self.secret = f"MRDIB{uuid.uuid4().hex[:8].upper()}", uuid.uuid4().hex
        self.run("radosgw-admin", "key", "create", "--uid", "mrdib", "--key-type", "s3", "--access-key",
                 self.key, "--secret-key", self.secret)
        self.run("radosgw-admin", "key", "rm", "--uid", "mrdib", "--key-type", "s3", "--access-key", former)

    def start(self, cluster, monitor):
        plan = os.path.join(self.folder, "monmap")
        self.run("monmaptool", "--create", "--fsid", cluster, "--addv", "a",
                 f"[v1:127.0.0.1:{monitor}]", plan)
        self.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", plan)
        self.spawn("ceph-mon", "-i", "a", "-f")
        disk = str(uuid.uuid4())
        number = self.run("ceph", "osd", "new", disk)
        self.run("ceph-osd", "--mkfs", "-i", number, "--osd-uuid", disk)
        self.spawn("ceph-osd", "-i", number, "-f")
        end = time.monotonic() + 60
        while "1 up" not in self.run("ceph", "osd", "stat"):
            if time.monotonic() > end:
                raise RuntimeError(f"Ceph's disk is not up after 60 s; logs are in {self.folder}/log")
            time.sleep(0.5)
        self.spawn("radosgw", "-n", "client.rgw", "-f")

    def spawn(self, *command):
        with open(os.path.join(self.folder, "log", f"{command[0]}.out"), "w") as log:
            self.processes.append(subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment))

    def run(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, env=self.environment)
        if done.returncode:
            raise RuntimeError(f"'{' '.join(command)}' ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout.strip()

    def stop(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def python_with_stores(environment):
    """The Python of a virtual environment with moto and boto3, which is made if it has them not."""
    python = os.path.join(environment, "bin", "python")
    if not os.path.exists(os.path.join(environment, "bin", "moto_server")):
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "moto[server]>=5,<6", "boto3"],
                       check=True)
    return python
