"""Connects to an OPC UA server: security, addresses by namespace URI, and library errors in our own words."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from asyncua import Client, ua
from asyncua.crypto import security_policies

from mes.core.errors import LinkDown, PlcError, TagReadFailed, TagWriteRefused
from mes.plc.tagmap import OpcUaLink

logging.getLogger("asyncua").setLevel(logging.ERROR)
WATCHDOG_S = 30.0

_POLICIES = {
    "Basic256Sha256": security_policies.SecurityPolicyBasic256Sha256,
    "Aes128Sha256RsaOaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "Aes256Sha256RsaPss": security_policies.SecurityPolicyAes256Sha256RsaPss,
}


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turns asyncua's errors into PlcError with one clear sentence."""
    try:
        yield
    except PlcError:
        raise
    except TimeoutError as error:
        raise TagReadFailed(f"{what}: the PLC did not answer in time.", code="timeout") from error
    except (OSError, asyncio.IncompleteReadError) as error:
        raise LinkDown(f"{what}: {error or type(error).__name__}") from error
    except ua.UaStatusCodeError as error:
        name = status_name(error.code)
        kind = TagWriteRefused if what.startswith("write") else TagReadFailed
        raise kind(f"{what}: {name}", code=f"status:{name}") from error
    except (ua.UaError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise TagReadFailed(f"{what}: {type(error).__name__}: {error}") from error


def status_name(code: int) -> str:
    return str(ua.status_codes.get_name_and_doc(code)[0])


async def open_client(link: OpcUaLink, endpoint: str, folder: Path) -> Client:
    """A connected client with an activated session. Raises PlcError."""
    timeout = max(2.0, link.request_timeout_s)
    client = Client(endpoint, timeout=timeout, watchdog_intervall=WATCHDOG_S, auto_reconnect=False)
    client.name = "mes"
    client.session_timeout = int(link.session_timeout_s * 1000)
    with translated(f"connect to {endpoint}"):
        await _secure(client, link, folder)
        await client.connect()
    return client


async def _secure(client: Client, link: OpcUaLink, folder: Path) -> None:
    security = link.security
    if security.user is not None:
        client.set_user(security.user)
        if security.password_file:
            client.set_password((folder / security.password_file).read_text(encoding="utf-8").strip())
    if security.policy == "None":
        return
    if not (security.certificate and security.private_key):
        raise LinkDown(
            f"Link {link.name} wants {security.policy}, but has no certificate and private_key.",
            hint="Make them with `mes certs` and name both under security.",
        )
    mode = ua.MessageSecurityMode.Sign if security.mode == "Sign" else ua.MessageSecurityMode.SignAndEncrypt
    pinned = str(folder / security.server_certificate) if security.server_certificate else None
    await client.set_security(
        _POLICIES[security.policy],
        certificate=str(folder / security.certificate),
        private_key=str(folder / security.private_key),
        server_certificate=pinned,
        mode=mode,
    )


async def resolve(client: Client, namespaces: list[str], link: OpcUaLink, address: str) -> ua.NodeId:
    """The node of an address: `nsu=<URI>;s=…`, `s=…` in the link's namespace, `i=…`, or a path of names below Objects."""
    if address.startswith("/"):
        return await _walk(client, address)
    uri, rest = link.namespace, address
    if address.startswith("nsu="):
        uri, _, rest = address[4:].partition(";")
    index = 0
    if uri is not None and not (rest is address and address.startswith("i=") and link.namespace is None):
        if uri not in namespaces:
            raise TagReadFailed(f"The server has no namespace {uri}.", code="status:BadNodeIdUnknown")
        index = namespaces.index(uri)
    return ua.NodeId.from_string(f"ns={index};{rest}")


async def _walk(client: Client, path: str) -> ua.NodeId:
    node = client.nodes.objects
    for name in path.strip("/").split("/"):
        children: list[Any] = await node.get_children_descriptions()
        found = next((child for child in children if child.BrowseName.Name == name), None)
        if found is None:
            raise TagReadFailed(f"The server has no node {path} ({name!r} is missing).", code="status:BadNoMatch")
        node = client.get_node(found.NodeId)
    return node.nodeid
