"""Holds a server's raw AWS answers against the service models that the SDKs are generated from.

    aws_shapes.py REQUEST.json
    aws_shapes.py --check

REQUEST says where the server is, what it holds, and which operations it serves:

    {"endpoint": "http://127.0.0.1:1", "region": "us-west-2", "key": "AKIA...", "state_table": ..., "audit_table": ...,
     "bucket": ..., "vault": ..., "table_arn": ..., "zone": ..., "name": "teleport.example.com",
     "operations": [["dynamodb", "Query"], ...]}

Every operation is called through botocore; its answer is read here, not by botocore, which forgives much: unknown members,
required ones that are missing, wrong types, values outside an enumeration, timestamps in another form, a wrong namespace,
sizes outside their bounds. One finding a line; the last line is "N answers, M findings". Ends with 1 if there are any.
"""

import datetime
import json
import re
import sys
import xml.etree.ElementTree as tree

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"
# Codes that the layers before a service may answer, which no operation lists.
COMMON = {"ValidationException", "ValidationError", "InvalidInput", "NoSuchBucket", "NoSuchKey", "404",
          "ReplicationConfigurationNotFoundError", "NoSuchBucketPolicy", "UnrecognizedClientException", "AccessDenied",
          "AccessDeniedException", "PreconditionFailed", "InvalidAccessKeyId", "InvalidClientTokenId"}


# What botocore calls a service that signs by another name.
NAMES = {"elasticloadbalancing": "elbv2"}


class Held:
    """The findings of one answer."""

    def __init__(self, what):
        self.what, self.found = what, []

    def say(self, path, problem):
        self.found.append(f"{self.what} {path}: {problem}")

    def bounds(self, shape, path, size):
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if low is not None and size < low or high is not None and size > high:
            self.say(path, f"{size} is outside {low} to {high}")

    def enumerated(self, shape, path, text):
        known = shape.metadata.get("enum")
        if known and text not in known:
            self.say(path, f"{text!r} is none of {', '.join(known)}")
        pattern = shape.metadata.get("pattern")
        if pattern:
            try:
                fits = re.search(pattern, text)
            except re.error:  # the models' patterns are Java's
                fits = True
            if not fits:
                self.say(path, f"{text!r} does not match {pattern}")

    def required(self, shape, path, there):
        for name in shape.required_members:
            if name not in there:
                self.say(path, f"lacks {name}, which is required")

    # JSON

    def json(self, shape, value, path):
        kind = shape.type_name
        if kind == "structure":
            if not isinstance(value, dict):
                return self.say(path, f"{value!r} is no structure")
            names = {member.serialization.get("name", name): name for name, member in shape.members.items()
                     if not member.serialization.get("location")}
            for key, part in value.items():
                if key not in names:
                    self.say(path, f"has {key}, which the model does not know")
                elif part is None:
                    self.say(f"{path}.{key}", "is null")
                else:
                    self.json(shape.members[names[key]], part, f"{path}.{key}")
            # DynamoDB's model does not say that its AttributeValue is one.
            if (shape.metadata.get("union") or shape.name == "AttributeValue") and len(value) != 1:
                self.say(path, f"is a union with {len(value)} members")
            self.required(shape, path, {names.get(key) for key in value})
        elif kind == "list":
            if not isinstance(value, list):
                return self.say(path, f"{value!r} is no list")
            self.bounds(shape, path, len(value))
            for at, part in enumerate(value):
                self.json(shape.member, part, f"{path}[{at}]")
        elif kind == "map":
            if not isinstance(value, dict):
                return self.say(path, f"{value!r} is no map")
            for key, part in value.items():
                self.json(shape.value, part, f"{path}[{key!r}]")
        elif kind == "string":
            if not isinstance(value, str):
                return self.say(path, f"{value!r} is no string")
            self.bounds(shape, path, len(value))
            self.enumerated(shape, path, value)
        elif kind == "boolean":
            if not isinstance(value, bool):
                self.say(path, f"{value!r} is no boolean")
        elif kind in ("integer", "long"):
            if isinstance(value, bool) or not isinstance(value, int):
                return self.say(path, f"{value!r} is no whole number")
            self.bounds(shape, path, value)
        elif kind in ("float", "double"):
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                self.say(path, f"{value!r} is no number")
        elif kind == "timestamp":
            form = shape.serialization.get("timestampFormat", "unixTimestamp")
            if form == "unixTimestamp":
                if isinstance(value, bool) or not isinstance(value, (int, float)):
                    self.say(path, f"{value!r} is no Unix time")
            else:
                self.text(shape, value, path, form)
        elif kind == "blob":
            if not isinstance(value, str):
                self.say(path, f"{value!r} is no base64")
        else:
            self.say(path, f"a {kind}, which this validator does not know")

    # XML, and text in headers

    def text(self, shape, text, path, form="iso8601"):
        kind = shape.type_name
        if kind == "string":
            self.bounds(shape, path, len(text))
            self.enumerated(shape, path, text)
        elif kind == "boolean":
            if text not in ("true", "false"):
                self.say(path, f"{text!r} is no boolean")
        elif kind in ("integer", "long"):
            if not re.fullmatch(r"-?\d+", text):
                return self.say(path, f"{text!r} is no whole number")
            self.bounds(shape, path, int(text))
        elif kind == "timestamp":
            form = shape.serialization.get("timestampFormat", form)
            if form == "iso8601" and not INSTANT.fullmatch(text):
                self.say(path, f"{text!r} is no ISO 8601 time in UTC")
            elif form == "rfc822":
                try:
                    datetime.datetime.strptime(text, HTTP_DATE)
                except ValueError:
                    self.say(path, f"{text!r} is no HTTP date")
        elif kind in ("float", "double"):
            try:
                float(text)
            except ValueError:
                self.say(path, f"{text!r} is no number")
        elif kind != "blob":
            self.say(path, f"a {kind} as text, which this validator does not know")

    def xml(self, shape, element, path, space):
        kind = shape.type_name
        if kind == "structure":
            names, attributes = {}, set()
            for name, member in shape.members.items():
                if member.serialization.get("location"):
                    continue
                on_wire = member.serialization.get("name", name)
                if member.type_name == "list" and flat(member):
                    on_wire = member.serialization.get("name", member.member.serialization.get("name", name))
                if member.serialization.get("xmlAttribute"):
                    attributes.add(name)
                    continue
                names[on_wire] = name
            there, lists = set(attributes), {}
            for part in element:
                found_space, tag = split(part.tag)
                if found_space != space:
                    self.say(path, f"{tag} is in namespace {found_space!r}, not {space!r}")
                if tag not in names:
                    self.say(path, f"has {tag}, which the model does not know")
                    continue
                name = names[tag]
                member = shape.members[name]
                if member.type_name == "list" and flat(member):
                    lists.setdefault(name, []).append(part)
                elif name in there:
                    self.say(path, f"has {tag} twice")
                else:
                    self.xml(member, part, f"{path}.{tag}", space)
                there.add(name)
            for name, parts in lists.items():
                self.bounds(shape.members[name], f"{path}.{name}", len(parts))
                for at, part in enumerate(parts):
                    self.xml(shape.members[name].member, part, f"{path}.{name}[{at}]", space)
            self.required(shape, path, there)
            if (element.text or "").strip():
                self.say(path, f"has the text {element.text.strip()!r} beside its members")
        elif kind == "list":
            self.bounds(shape, path, len(element))
            wanted = shape.member.serialization.get("name", "member")
            for at, part in enumerate(element):
                found_space, tag = split(part.tag)
                if tag != wanted or found_space != space:
                    self.say(path, f"has {tag} where {wanted} belongs")
                self.xml(shape.member, part, f"{path}[{at}]", space)
        else:
            if len(element):
                self.say(path, "has elements where text belongs")
            self.text(shape, element.text or "", path)


def flat(shape):
    return shape.serialization.get("flattened")


def split(tag):
    return tag[1:].split("}", 1) if tag.startswith("{") else ("", tag)


def headers(held, shape, got):
    got = {name.lower(): text for name, text in got.items()}
    for name, member in shape.members.items():
        place = member.serialization.get("location")
        if place == "header":
            text = got.get(member.serialization["name"].lower())
            if text is not None:
                held.text(member, text, name, "rfc822")
            elif name in shape.required_members:
                held.say(name, "is required, and its header is missing")


def body_shape(shape):
    payload = shape.serialization.get("payload")
    return (shape.members[payload], payload) if payload else (shape, None)


def answered(held, operation, raw):
    """Holds a good answer against the model."""
    shape, service = operation.output_shape, operation.service_model
    protocol = service.metadata["protocol"]
    whole = operation.http.get("responseCode", 200)
    if raw["status_code"] not in ((whole, 206) if operation.name == "GetObject" else (whole,)):
        held.say("", f"status {raw['status_code']} instead of {operation.http.get('responseCode', 200)}")
    if shape is None:  # nothing is said but that it is done, as for TagResource
        return
    if protocol in ("json", "rest-json"):
        kind = raw["headers"].get("content-type", "")
        wanted = f"application/x-amz-json-{service.metadata.get('jsonVersion')}" if protocol == "json" \
            else "application/json"
        if kind.split(";")[0] != wanted:
            held.say("content-type", f"{kind!r} instead of {wanted!r}")
        held.json(body_shape(shape)[0], json.loads(raw["body"]), "")
        return
    headers(held, shape, raw["headers"])
    target, payload = body_shape(shape)
    if payload and target.type_name in ("string", "blob"):  # another format, as bucket policies are, or bytes
        return
    in_body = [member for member in target.members.values() if not member.serialization.get("location")]
    if operation.http["method"] == "HEAD" or not in_body or (payload and target.type_name == "blob"):
        if raw["body"] and operation.http["method"] == "HEAD":
            held.say("", "has a body")
        return
    root = tree.fromstring(raw["body"])
    space, tag = split(root.tag)
    if protocol == "query":
        if space != service.metadata["xmlNamespace"]:
            held.say("", f"namespace {space!r}")
        wanted, result = f"{operation.name}Response", f"{operation.name}Result"
        if tag != wanted:
            held.say("", f"is a {tag}, not a {wanted}")
        parts = {split(part.tag)[1]: part for part in root}
        if set(parts) != {result, "ResponseMetadata"}:
            return held.say("", f"has {sorted(parts)}")
        return held.xml(target, parts[result], "", space)
    known = (service.metadata.get("xmlNamespace") or target.serialization.get("xmlNamespace", {}).get("uri")
             or root_space(service))
    if space != known:
        held.say("", f"namespace {space!r} instead of {known!r}")
    held.xml(target, root, "", space)


def root_space(service):
    """The namespace that a service gives to its documents: the models have it at the inputs."""
    if service.service_name == "s3":
        return "http://s3.amazonaws.com/doc/2006-03-01/"
    return f"https://{service.service_name}.amazonaws.com/doc/{service.api_version}/"


def refused(held, operation, raw, error):
    """Holds an error's code against those that the operation lists."""
    known = {shape.metadata.get("error", {}).get("code", shape.name) for shape in operation.error_shapes}
    known |= {shape.name for shape in operation.error_shapes} | COMMON
    code = error.response["Error"]["Code"]
    if code not in known:
        held.say("", f"the error {code} is none of its own: {', '.join(sorted(known - COMMON))}")
    for shape in operation.error_shapes:
        wanted = shape.metadata.get("error", {}).get("httpStatusCode")
        if code in (shape.name, shape.metadata.get("error", {}).get("code")) and wanted not in (None, raw["status_code"]):
            held.say("", f"the error {code} has status {raw['status_code']} instead of {wanted}")


def change(where, action, value):
    sets = {"Name": where["name"], "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": value}]}
    return {"HostedZoneId": where["zone"], "ChangeBatch": {
        "Comment": "shapes", "Changes": [{"Action": action, "ResourceRecordSet": sets}]}}


def presence(where, prefix):
    return {"TableName": where["state_table"], "KeyConditionExpression": "HashKey = :h AND begins_with(FullPath, :p)",
            "ExpressionAttributeValues": {":h": {"S": "teleport"}, ":p": {"S": f"teleport/{prefix}"}},
            "ProjectionExpression": "FullPath, #Timestamp", "ExpressionAttributeNames": {"#Timestamp": "Timestamp"}}


def calls(where, told):
    """For each operation the calls that Relight makes, and some that must end in an error. `told` holds answers."""
    table, bucket, zone = where["state_table"], where["bucket"], where["zone"]
    today = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    audit = {"TableName": where["audit_table"], "IndexName": "timesearchV2", "KeyConditionExpression": "CreatedAtDate = :d",
             "ExpressionAttributeValues": {":d": {"S": today}}, "ProjectionExpression": "CreatedAt",
             "ScanIndexForward": False, "Limit": 1}
    objects = told.get(("s3", "ListObjectsV2"), {}).get("Contents", [])
    plans = told.get(("backup", "ListBackupPlans"), {}).get("BackupPlansList", [])
    made = told.get(("route53", "ChangeResourceRecordSets"), {}).get("ChangeInfo", {}).get("Id", "C0")
    points = told.get(("backup", "ListRecoveryPointsByBackupVault"), {}).get("RecoveryPoints", [])
    backups = told.get(("dynamodb", "ListBackups"), {}).get("BackupSummaries", [])
    job = told.get(("backup", "StartRestoreJob"), {}).get("RestoreJobId", "nothing")
    own = f"arn:aws:dynamodb:{where['region']}:111122223333:table/{table}"
    earlier = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=10)
    restore = {"Metadata": {"targetTableName": "shapes-by-job"}, "IdempotencyToken": "shapes",
               "IamRoleArn": "arn:aws:iam::111122223333:role/backup", "ResourceType": "DynamoDB"}
    balancing = "elasticloadbalancing"
    balancers = [one["LoadBalancerArn"] for one in told.get((balancing, "DescribeLoadBalancers"), {}).get("LoadBalancers", [])]
    listeners = [one["ListenerArn"] for one in told.get((balancing, "DescribeListeners"), {}).get("Listeners", [])]
    groups = [action["TargetGroupArn"] for one in told.get((balancing, "DescribeListeners"), {}).get("Listeners", [])
              for action in one["DefaultActions"]] or ["arn:nothing"]
    nobodys = f"arn:aws:{balancing}:{where['region']}:111122223333:loadbalancer/net/nothing/0"
    return {
        (balancing, "DescribeLoadBalancers"): [{"PageSize": 400}],
        (balancing, "DescribeListeners"): [{"LoadBalancerArn": arn} for arn in [*balancers, nobodys]],
        (balancing, "CreateListener"): [{"LoadBalancerArn": arn, "Port": 3024, "Protocol": "TCP",
                                         "DefaultActions": [{"Type": "forward", "TargetGroupArn": group}]}
                                        for arn in [*balancers, nobodys] for group in groups],
        (balancing, "DeleteListener"): [{"ListenerArn": arn} for arn in [*listeners, nobodys]],
        (balancing, "SetSecurityGroups"): [{"LoadBalancerArn": arn, "SecurityGroups": ["sg-0"]} for arn in [*balancers, nobodys]],
        ("backup", "StartRestoreJob"): [{**restore, "RecoveryPointArn": point["RecoveryPointArn"]} for point in points[:1]]
        + [{**restore, "IdempotencyToken": "other", "RecoveryPointArn": "arn:aws:backup:us-west-2:1:recovery-point:nothing"}],
        ("backup", "ListRestoreJobs"): [{}, {"ByStatus": "RUNNING", "ByResourceType": "DynamoDB", "MaxResults": 100}],
        ("backup", "DescribeRestoreJob"): [{"RestoreJobId": job}, {"RestoreJobId": "nothing"}],
        ("backup", "GetRestoreJobMetadata"): [{"RestoreJobId": job}, {"RestoreJobId": "nothing"}],
        ("dynamodb", "RestoreTableFromBackup"): [
            {"TargetTableName": "shapes-from-backup", "BackupArn": backup["BackupArn"]} for backup in backups[:1]]
        + [{"TargetTableName": "shapes-from-backup", "BackupArn": own + "-nothing/backup/01234567890123-x"}],
        ("dynamodb", "RestoreTableToPointInTime"): [
            {"TargetTableName": "shapes-to-moment", "SourceTableArn": own, "RestoreDateTime": earlier},
            {"TargetTableName": "shapes-to-moment", "SourceTableArn": own + "-nothing", "RestoreDateTime": earlier}],
        ("dynamodb", "DescribeTimeToLive"): [{"TableName": table}, {"TableName": "nothing"}],
        ("dynamodb", "ListTagsOfResource"): [{"ResourceArn": own}, {"ResourceArn": own + "-nothing"}],
        ("dynamodb", "TagResource"): [{"ResourceArn": own, "Tags": [{"Key": "shapes", "Value": "x"}]}],
        ("dynamodb", "UpdateTimeToLive"): [
            {"TableName": name, "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "Expires"}}
            for name in (table, "nothing")],
        ("dynamodb", "UpdateContinuousBackups"): [
            {"TableName": name, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
            for name in (table, "nothing")],
        ("dynamodb", "UpdateTable"): [{"TableName": name, "DeletionProtectionEnabled": True} for name in (table, "nothing")],
        # One that was just protected stays, the other goes.
        ("dynamodb", "DeleteTable"): [{"TableName": name} for name in (table, where["audit_table"], "nothing")],
        ("dynamodb", "PutItem"): [
            {"TableName": name, "Item": {"incident": {"S": "holder x"}, "seq": {"N": "0"}, "beat": {"N": "1"}},
             "ConditionExpression": "attribute_not_exists(incident)"}
            for name in ("relight-coordination", "relight-coordination", "nothing")],
        ("dynamodb", "GetItem"): [
            {"TableName": name, "Key": {"incident": {"S": "holder x"}, "seq": {"N": seq}}, "ConsistentRead": True}
            for name, seq in (("relight-coordination", "0"), ("relight-coordination", "7"), ("nothing", "0"))],
        ("sts", "GetCallerIdentity"): [{}],
        ("sts", "AssumeRoleWithWebIdentity"): [
            {"RoleArn": where["role"], "RoleSessionName": "relight", "WebIdentityToken": where["token"]},
            {"RoleArn": where["role"], "RoleSessionName": "relight", "WebIdentityToken": "nothing"}],
        ("iam", "GetRole"): [{"RoleName": where["role"].split("/")[-1]}, {"RoleName": "nothing"}],
        ("iam", "GetOpenIDConnectProvider"): [{"OpenIDConnectProviderArn": where["provider"]},
                                              {"OpenIDConnectProviderArn": where["provider"] + "x"}],
        ("iam", "SimulatePrincipalPolicy"): [
            {"PolicySourceArn": where["role"], "ActionNames": ["dynamodb:GetItem", "dynamodb:CreateTable"],
             "ResourceArns": [where["table_arn"]]}],
        ("kms", "DescribeKey"): [{"KeyId": where["kms_key"]}, {"KeyId": "nothing"}],
        ("eks", "DescribeCluster"): [{"name": where["cluster"]}, {"name": "nothing"}],
        ("eks", "ListPodIdentityAssociations"): [{"clusterName": where["cluster"]}, {"clusterName": "nothing"}],
        ("eks", "DescribePodIdentityAssociation"): [{"clusterName": where["cluster"], "associationId": "a-nothing"}],
        ("acm", "RequestCertificate"): [{"DomainName": where["name"], "ValidationMethod": "DNS", "IdempotencyToken": "shapes",
                                         "SubjectAlternativeNames": ["*." + where["name"]]}],
        ("acm", "ListCertificates"): [{}],
        ("acm", "DescribeCertificate"): [
            {"CertificateArn": one["CertificateArn"]}
            for one in told.get(("acm", "ListCertificates"), {}).get("CertificateSummaryList", [])]
        + [{"CertificateArn": "arn:aws:acm:us-west-2:111122223333:certificate/00000000-0000-0000-0000-000000000000"}],
        ("dynamodb", "GetResourcePolicy"): [{"ResourceArn": where["table_arn"]}],
        ("s3", "HeadBucket"): [{"Bucket": bucket}, {"Bucket": "nothing-here"}],
        ("s3", "ListObjectVersions"): [{"Bucket": bucket, "MaxKeys": 1}],
        ("s3", "GetBucketPolicy"): [{"Bucket": bucket}],
        ("sts", "AssumeRole"): [{"RoleArn": "arn:aws:iam::111122223333:role/dr", "RoleSessionName": "relight"}],
        ("dynamodb", "DescribeTable"): [{"TableName": table}, {"TableName": where["audit_table"]},
                                        {"TableName": "nothing"}],
        ("dynamodb", "DescribeContinuousBackups"): [{"TableName": table}, {"TableName": "nothing"}],
        ("dynamodb", "ListBackups"): [{"TableName": table, "BackupType": "ALL"}],
        ("dynamodb", "Query"): [presence(where, "authservers/"), presence(where, "nodes/"), audit,
                                {**audit, "TableName": "nothing"}],
        ("s3", "ListObjectsV2"): [{"Bucket": bucket}, {"Bucket": bucket, "MaxKeys": 2}, {"Bucket": "nothing-here"}],
        ("s3", "GetObject"): [{"Bucket": bucket, "Key": item["Key"], "Range": "bytes=0-15"} for item in objects[:2]]
        + [{"Bucket": bucket, "Key": "nothing"}],
        ("s3", "HeadObject"): [{"Bucket": bucket, "Key": item["Key"]} for item in objects[:3]]
        + [{"Bucket": bucket, "Key": "nothing"}],
        # The second of the two finds the first there.
        ("s3", "PutObject"): [
            {"Bucket": name, "Key": "shapes/box.json", "Body": b"{}", "ContentType": "application/json", "IfNoneMatch": "*",
             "ChecksumAlgorithm": "SHA256", "ServerSideEncryption": "AES256"} for name in (bucket, bucket, "nothing-here")],
        ("s3", "GetBucketVersioning"): [{"Bucket": bucket}, {"Bucket": "nothing-here"}],
        ("s3", "GetBucketReplication"): [{"Bucket": bucket}],
        ("backup", "ListBackupPlans"): [{"MaxResults": 10}],
        ("backup", "GetBackupPlan"): [{"BackupPlanId": plan["BackupPlanId"]} for plan in plans[:3]]
        + [{"BackupPlanId": "nothing"}],
        ("backup", "ListRecoveryPointsByBackupVault"): [
            {"BackupVaultName": where["vault"], "ByResourceArn": where["table_arn"], "MaxResults": 100},
            {"BackupVaultName": where["vault"]}, {"BackupVaultName": "nothing"}],
        ("route53", "GetHostedZone"): [{"Id": zone}, {"Id": "ZNOTHING"}],
        ("route53", "ListResourceRecordSets"): [{"HostedZoneId": zone, "StartRecordName": where["name"], "MaxItems": "20"},
                                                {"HostedZoneId": zone, "MaxItems": "1"}, {"HostedZoneId": "ZNOTHING"}],
        ("route53", "ChangeResourceRecordSets"): [change(where, "UPSERT", "other.example.com"),
                                                  change(where, "DELETE", "not.what.is.there")],
        ("route53", "GetChange"): [{"Id": made}, {"Id": "CNOTHING"}],
        ("route53-recovery-cluster", "GetRoutingControlState"): [
            {"RoutingControlArn": arn} for arn in [*where["controls"], where["controls"][0] + "-nothing"]],
        # What no safety rule lets, and what is so already.
        ("route53-recovery-cluster", "UpdateRoutingControlStates"): [
            {"UpdateRoutingControlStateEntries": [
                {"RoutingControlArn": arn, "RoutingControlState": "Off"} for arn in where["controls"]]},
            {"UpdateRoutingControlStateEntries": [
                {"RoutingControlArn": where["controls"][0], "RoutingControlState": "On"}]}],
    }


def snake(name):
    from botocore import xform_name
    return xform_name(name)


def check():
    """Holds answers with one fault each against the models: a validator that finds nothing must be able to find."""
    session = botocore.session.get_session()
    table = {"TableName": "table", "TableStatus": "ACTIVE", "CreationDateTime": 1.5}
    zone = "https://route53.amazonaws.com/doc/2013-04-01/"
    good = (f'<GetChangeResponse xmlns="{zone}"><ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status>'
            "<SubmittedAt>2026-11-23T14:05:31Z</SubmittedAt></ChangeInfo></GetChangeResponse>")
    listed = ('<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><KeyCount>1</KeyCount>'
              "<Contents><Key>k</Key><LastModified>2026-11-23T14:05:31.000Z</LastModified><Size>1</Size></Contents>"
              "</ListBucketResult>")
    who = ('<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
           "<Arn>arn:aws:iam::111122223333:root</Arn></GetCallerIdentityResult><ResponseMetadata/></GetCallerIdentityResponse>")
    head = {"last-modified": "Mon, 23 Nov 2026 14:05:31 GMT", "x-amz-replication-status": "REPLICA"}
    json_10, rest = "application/x-amz-json-1.0", "application/json"

    def described(**more):
        return json.dumps({"Table": {**table, **more}})

    cases = [  # service, operation, whether it is sound, body, headers
        ("dynamodb", "DescribeTable", True, described(), json_10),
        ("dynamodb", "DescribeTable", False, described(), rest),
        ("dynamodb", "DescribeTable", False, described(Status="ACTIVE"), json_10),
        ("dynamodb", "DescribeTable", False, described(TableStatus="READY"), json_10),
        ("dynamodb", "DescribeTable", False, described(TableStatus=None), json_10),
        ("dynamodb", "DescribeTable", False, described(CreationDateTime="2026-11-23T14:05:31Z"), json_10),
        ("dynamodb", "DescribeTable", False, described(ItemCount="4"), json_10),
        ("dynamodb", "DescribeTable", False, described(KeySchema=[{"AttributeName": "a"}]), json_10),
        ("dynamodb", "Query", False, json.dumps({"Items": [{"a": {"S": "x", "N": "1"}}]}), json_10),
        ("backup", "ListBackupPlans", True, json.dumps({"BackupPlansList": [{"BackupPlanName": "p"}]}), rest),
        ("backup", "ListBackupPlans", False, json.dumps({"BackupPlansList": {"BackupPlanName": "p"}}), rest),
        ("route53", "GetChange", True, good, "text/xml"),
        ("route53", "GetChange", False, good.replace("PENDING", "DONE"), "text/xml"),
        ("route53", "GetChange", False, good.replace("14:05:31Z", "14:05:31"), "text/xml"),
        ("route53", "GetChange", False, good.replace("<Status>PENDING</Status>", ""), "text/xml"),
        ("route53", "GetChange", False, good.replace("2013-04-01", "2012-12-12"), "text/xml"),
        ("route53", "GetChange", False, good.replace("</Id>", "</Id><Fresh>true</Fresh>"), "text/xml"),
        ("s3", "ListObjectsV2", True, listed, "application/xml"),
        ("s3", "ListObjectsV2", False, listed.replace("<KeyCount>1", "<KeyCount>one"), "application/xml"),
        ("s3", "ListObjectsV2", False, listed.replace("<Name>b</Name>", "<Name>b</Name>" * 2), "application/xml"),
        ("s3", "HeadObject", True, "", head),
        ("s3", "HeadObject", False, "", {**head, "last-modified": "2026-11-23T14:05:31Z"}),
        ("s3", "HeadObject", False, "", {**head, "x-amz-replication-status": "DONE"}),
        ("sts", "GetCallerIdentity", True, who, "text/xml"),
        ("sts", "GetCallerIdentity", False, who.replace("GetCallerIdentityResult", "Result"), "text/xml"),
    ]
    wrong = 0
    for service, name, sound, body, kind in cases:
        operation = session.get_service_model(service).operation_model(name)
        held = Held(f"{service} {name}")
        got = kind if isinstance(kind, dict) else {"content-type": kind}
        answered(held, operation, {"status_code": 200, "headers": got, "body": body.encode()})
        if sound == bool(held.found):
            wrong += 1
            print(f"{'sound' if sound else 'faulty'}, found {held.found}: {body} {kind}")
    print(f"{len(cases)} checks, {wrong} wrong")
    return 1 if wrong else 0


def main():
    if sys.argv[1:] == ["--check"]:
        return check()
    with open(sys.argv[1], encoding="utf-8") as file:
        where = json.load(file)
    session = botocore.session.get_session()
    session.set_credentials(where["key"], "shapes")
    config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}, read_timeout=20, connect_timeout=5,
                    parameter_validation=False)
    told, findings, answers = {}, [], 0
    order = {"ListObjectsV2": 0, "ListBackupPlans": 0, "ChangeResourceRecordSets": 0, "RequestCertificate": -1,
             "ListCertificates": 0, "ListRecoveryPointsByBackupVault": -1, "ListBackups": -1, "StartRestoreJob": 0,
             "DescribeLoadBalancers": -2, "DescribeListeners": -1, "DeleteTable": 2, "PutItem": 0}
    for service, name in sorted(map(tuple, where["operations"]), key=lambda row: (order.get(row[1], 1), row)):
        client = session.create_client(NAMES.get(service, service), where["region"], endpoint_url=where["endpoint"], config=config)
        raw = {}
        client.meta.events.register(f"before-parse.*.{name}", lambda response_dict, **_: raw.update(response_dict))
        wanted = calls(where, told).get((service, name))
        if wanted is None:
            findings.append(f"{service} {name}: this validator does not know how to call it")
            continue
        for at, arguments in enumerate(wanted):
            operation = client.meta.service_model.operation_model(name)
            held = Held(f"{service} {name} #{at}")
            answers += 1
            try:
                result = getattr(client, snake(name))(**arguments)
                told.setdefault((service, name), result)
                if any("nothing" in str(value).lower() for value in arguments.values()) and name != "ListBackups":
                    held.say("", f"answers for what is not there: {arguments}")
                answered(held, operation, raw)
            except ClientError as error:
                refused(held, operation, raw, error)
            except Exception as error:  # whatever botocore cannot read is a finding, too
                held.say("", f"{type(error).__name__}: {error}")
            findings += held.found
    for finding in findings:
        print(finding)
    print(f"{answers} answers, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
