"""Makes the signatures beside this file with the PyPI package model_signing.

    python=$(scripts/python.sh signing Tests/ModelSigningTests/Fixtures/requirements.txt)
    $python Tests/ModelSigningTests/Fixtures/make_signatures.py

Keys are the same every time; ECDSA signatures are not, because model_signing draws them at random.
The private keys are known to everybody and sign nothing but tests.
"""

import datetime
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import model_signing
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HERE = Path(__file__).resolve().parent
CURVES = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1(), "secp256k1": ec.SECP256K1()}
PEM = serialization.Encoding.PEM
PLAIN = serialization.NoEncryption()

# Names whose order differs between whole strings and components, and between UTF-8 and UTF-16.
FILES = {
    "a/y.txt": b"below a\n",
    "a-b/x.txt": b"below a-b\n",
    "a.txt": b"beside a\n",
    ".hidden": b"hidden\n",
    "empty": b"",
    "deep/er/file.bin": bytes(range(256)) * 9,
    "names/\u00e9.txt": b"two bytes\n",
    "names/\uff5a.txt": b"three bytes\n",
    "names/\U0001f600.txt": b"four bytes\n",
}


def cli(*arguments):
    subprocess.run([sys.executable, "-m", "model_signing", *map(str, arguments)], check=True, cwd=HERE)


def private_key(curve):
    scalar = int.from_bytes(hashlib.sha256(b"evident model signing tests").digest(), "big") >> 1
    return ec.derive_private_key(scalar, CURVES[curve])


def keys():
    fingerprints = {}
    for curve in CURVES:
        key = private_key(curve)
        public = key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        (HERE / f"{curve}.pub.pem").write_bytes(public)
        (HERE / f"{curve}.key.pem").write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, PLAIN))
        fingerprints[curve] = hashlib.sha256(public).hexdigest()
    key = private_key("p256")
    sec1 = key.private_bytes(PEM, serialization.PrivateFormat.TraditionalOpenSSL, PLAIN)
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    (HERE / "p256.sec1.key.pem").write_bytes(parameters + sec1)
    locked = serialization.BestAvailableEncryption(b"secret")
    (HERE / "p256.encrypted.key.pem").write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, locked))
    (HERE / "rsa.pub.pem").write_bytes(
        rsa.generate_private_key(65537, 2048).public_key().public_bytes(
            PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    (HERE / "fingerprints.json").write_text(json.dumps(fingerprints, indent=1) + "\n")


def certificate():
    key = private_key("p256")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    usage = dict.fromkeys(
        ["content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
         "encipher_only", "decipher_only"], False)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(start).not_valid_after(start + datetime.timedelta(days=36500))
        .add_extension(x509.KeyUsage(digital_signature=True, **usage), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .sign(key, hashes.SHA256()))
    path = HERE / "certificate.tmp.pem"
    path.write_bytes(made.public_bytes(PEM))
    cli("sign", "certificate", "model", "--signature", "certificate.sig", "--private_key", "p256.key.pem",
        "--signing_certificate", path, "--certificate_chain", path)
    path.unlink()


def api(name, hashing):
    config = model_signing.signing.Config().use_elliptic_key_signer(private_key=HERE / "p256.key.pem")
    config.set_hashing_config(hashing).sign(HERE / "model", HERE / name)


def main():
    keys()
    folder = HERE / "model"
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for curve in ("p256", "p384", "p521"):
        cli("sign", "key", "model", "--signature", f"{curve}.sig", "--private_key", f"{curve}.key.pem")
        cli("verify", "key", "model", "--signature", f"{curve}.sig", "--public_key", f"{curve}.pub.pem")
    cli("sign", "key", "model/a.txt", "--signature", "single.sig", "--private_key", "p256.key.pem")
    cli("sign", "key", "model", "--signature", "symlinks.sig", "--private_key", "p256.key.pem", "--allow_symlinks")
    cli("sign", "key", "model", "--signature", "partial.sig", "--private_key", "p256.key.pem",
        "--ignore-paths", "model/deep", "--ignore-paths", "model/a.txt")
    Hashing = model_signing.hashing.Config
    api("shards.sig", Hashing().use_shard_serialization(shard_size=1000))
    api("blake2.sig", Hashing().use_file_serialization(hashing_algorithm="blake2"))
    api("blake3.sig", Hashing().use_file_serialization(hashing_algorithm="blake3"))
    certificate()


main()
