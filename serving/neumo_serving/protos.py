"""Messages of TensorFlow Serving and of gRPC's health protocol that no installed package brings.

Sources: ``config/ssl_config.proto``, ``config/monitoring_config.proto`` and ``grpc/health/v1``.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_STRING, _BOOL, _MESSAGE, _ENUM = (
    _Field.TYPE_STRING,
    _Field.TYPE_BOOL,
    _Field.TYPE_MESSAGE,
    _Field.TYPE_ENUM,
)
# A pool of its own: another package in this process may bring the same messages.
_POOL = descriptor_pool.DescriptorPool()


def _message(
    file: descriptor_pb2.FileDescriptorProto, name: str, *fields: tuple[str, Any, str]
) -> descriptor_pb2.DescriptorProto:
    """A message with ``fields``, numbered from 1: name, type, and the name of a message or enum."""
    message = file.message_type.add(name=name)
    for number, (field, kind, type_name) in enumerate(fields, 1):
        added = message.field.add(name=field, number=number, type=kind, label=_Field.LABEL_OPTIONAL)
        if type_name:
            added.type_name = type_name
    return message


def _config_file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="neumo/serving_config.proto", package="tensorflow.serving", syntax="proto3"
    )
    texts = ("server_key", "server_cert", "custom_ca")
    _message(
        file, "SSLConfig", *((name, _STRING, "") for name in texts), ("client_verify", _BOOL, "")
    )
    _message(file, "PrometheusConfig", ("enable", _BOOL, ""), ("path", _STRING, ""))
    prometheus = ".tensorflow.serving.PrometheusConfig"
    _message(file, "MonitoringConfig", ("prometheus_config", _MESSAGE, prometheus))
    return file


def _health_file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="neumo/health.proto", package="grpc.health.v1", syntax="proto3"
    )
    _message(file, "HealthCheckRequest", ("service", _STRING, ""))
    status = ".grpc.health.v1.HealthCheckResponse.ServingStatus"
    response = _message(file, "HealthCheckResponse", ("status", _ENUM, status))
    states = response.enum_type.add(name="ServingStatus")
    for number, name in enumerate(("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")):
        states.value.add(name=name, number=number)
    return file


for _file in (_config_file(), _health_file()):
    _POOL.Add(_file)


def _class(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(name))


SSLConfig: Any = _class("tensorflow.serving.SSLConfig")
MonitoringConfig: Any = _class("tensorflow.serving.MonitoringConfig")
HealthCheckRequest: Any = _class("grpc.health.v1.HealthCheckRequest")
HealthCheckResponse: Any = _class("grpc.health.v1.HealthCheckResponse")
