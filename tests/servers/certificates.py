"""Certificates for servers of the tests, made with openssl: an authority and a server's own for 127.0.0.1."""
import subprocess


def make_certificates(folder):
    """ca.pem, node.pem (127.0.0.1) and node.key (PKCS#8)."""
    ec = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    made = subprocess.run(f"openssl req -x509 {ec} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem && "
                          f"openssl req {ec} -subj /CN=node -keyout node.key -out request.pem && printf subjectAltName=IP:127.0.0.1 > names && "
                          "openssl x509 -req -days 2 -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out node.pem",
                          shell=True, cwd=folder, capture_output=True)
    if made.returncode != 0:
        raise RuntimeError(f"openssl: {made.stderr.decode(errors='replace')}")
