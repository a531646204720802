//! What the controllers, the scheduler, the kubelet and the cloud do: every tick each object's status is worked out anew
//! from its age and from what it waits for.

use std::{net::IpAddr, time::Duration};

use serde_json::{Value, json};

use super::{Cluster, Resource, label, stamp, text};
use crate::incident::Moment;

impl Cluster {
    /// Moves everything on to a moment. Called by the Kubernetes face ten times a second.
    pub fn tick(&mut self, now: Moment) {
        self.run_jobs(now);
        self.keep_replicas(now);
        self.move_pods(now);
        self.count_replicas();
        self.give_addresses(now);
    }

    fn names(&self, resource: Resource) -> Vec<(String, String)> {
        self.store
            .list(resource, None)
            .filter_map(|object| {
                Some((
                    text(object, "/metadata/namespace").unwrap_or_default(),
                    text(object, "/metadata/name")?,
                ))
            })
            .collect()
    }

    fn age(&self, object: &Value, now: Moment) -> Duration {
        let uid = text(object, "/metadata/uid").unwrap_or_default();
        self.born
            .get(&uid)
            .map_or(Duration::MAX, |born| now.since(*born))
    }

    fn run_jobs(&mut self, now: Moment) {
        for (namespace, name) in self.names(Resource::Jobs) {
            let Some(job) = self.store.get(Resource::Jobs, &namespace, &name).cloned() else {
                continue;
            };
            let uid = text(&job, "/metadata/uid").unwrap_or_default();
            let done = self.age(&job, now) >= Duration::from_millis(self.timing.hook_ms);
            let pods = self.owned(&namespace, &uid);
            if pods.is_empty() && job["status"]["succeeded"].is_null() {
                let mut pod = template(&job, &format!("{name}-x7x2p"), "Job", &name, &uid);
                pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] = json!(name);
                self.add(Resource::Pods, &namespace, pod, now);
            }
            if done {
                self.store.change(Resource::Jobs, &namespace, &name, |job| {
                    job["status"] = json!({"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]});
                });
            }
        }
    }

    fn keep_replicas(&mut self, now: Moment) {
        for (namespace, name) in self.names(Resource::Deployments) {
            let Some(deployment) = self
                .store
                .get(Resource::Deployments, &namespace, &name)
                .cloned()
            else {
                continue;
            };
            let uid = text(&deployment, "/metadata/uid").unwrap_or_default();
            let wanted = usize::try_from(deployment["spec"]["replicas"].as_u64().unwrap_or(1))
                .unwrap_or(0)
                .min(50);
            let mut there: Vec<String> = self.owned(&namespace, &uid);
            there.retain(|pod| {
                self.store
                    .get(Resource::Pods, &namespace, pod)
                    .is_some_and(|pod| pod["metadata"]["deletionTimestamp"].is_null())
            });
            // A restarted rollout, all at once: pods of another form make room for those of the new one.
            let form = deployment["spec"]["template"]["metadata"]["annotations"].clone();
            let of_form = |store: &super::Store, pod: &String| {
                let pod = store.get(Resource::Pods, &namespace, pod);
                pod.is_some_and(|pod| pod["metadata"]["annotations"] == form)
            };
            let (fresh, old): (Vec<_>, Vec<_>) =
                there.into_iter().partition(|pod| of_form(&self.store, pod));
            for pod in old {
                let _ = self.delete(Resource::Pods, &namespace, &pod, false, now);
            }
            let there = fresh;
            let set = format!("{name}-6d9f7b8c5");
            for index in there.len()..wanted {
                let pod = format!("{set}-{}", suffix(self.store.version(), index));
                let pod = template(&deployment, &pod, "ReplicaSet", &set, &uid);
                self.add(Resource::Pods, &namespace, pod, now);
            }
            for pod in there.iter().skip(wanted) {
                let _ = self.delete(Resource::Pods, &namespace, pod, false, now);
            }
        }
    }

    fn move_pods(&mut self, now: Moment) {
        // A kubelet that is cut off reports nothing: the API server keeps what it heard last.
        if self.lost {
            return;
        }
        let auth_there = self.store.list(Resource::Pods, None).any(|pod| {
            label(pod, "app.kubernetes.io/component").as_deref() == Some("auth") && is_ready(pod)
        });
        for (index, (namespace, name)) in self.names(Resource::Pods).into_iter().enumerate() {
            let Some(pod) = self.store.get(Resource::Pods, &namespace, &name).cloned() else {
                continue;
            };
            if let Some(end) = text(&pod, "/metadata/deletionTimestamp") {
                if end.parse::<Moment>().is_ok_and(|end| now >= end) {
                    let _ = self.delete(Resource::Pods, &namespace, &name, true, now);
                }
                continue;
            }
            let status = self.pod_status(&pod, auth_there, now);
            let scheduled = self.age(&pod, now) >= Duration::from_millis(self.timing.schedule_ms);
            self.store.change(Resource::Pods, &namespace, &name, |pod| {
                if scheduled && pod["spec"]["nodeName"].is_null() {
                    pod["spec"]["nodeName"] = json!(["node-a", "node-b"][index % 2]);
                }
                pod["status"] = status;
            });
        }
    }

    /// Scheduled → image pulled → running → Ready; a hook's pod ends, a proxy waits for Auth.
    fn pod_status(&mut self, pod: &Value, auth_there: bool, now: Moment) -> Value {
        let ms = Duration::from_millis;
        let age = self.age(pod, now);
        let uid = text(pod, "/metadata/uid").unwrap_or_default();
        let main = text(pod, "/spec/containers/0/name").unwrap_or_default();
        let started = stamp(self.born.get(&uid).copied().unwrap_or(now));
        let unscheduled = ms(self.timing.schedule_ms);
        let pulled = unscheduled + ms(self.timing.pull_ms);
        if age < unscheduled {
            // No condition: `PodScheduled` is False only once the scheduler has tried and found no node.
            return json!({"phase": "Pending"});
        }
        let container = |ready: bool, state: Value| json!({"name": main, "ready": ready, "started": ready, "restartCount": 0, "image": "teleport", "imageID": "", "state": state});
        if pod["metadata"]["labels"]["batch.kubernetes.io/job-name"].is_string() {
            let over = age >= ms(self.timing.hook_ms);
            let state = if over {
                json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": started, "finishedAt": started}})
            } else {
                json!({"running": {"startedAt": started}})
            };
            return json!({"phase": if over { "Succeeded" } else { "Running" },
                "conditions": [scheduled(true), condition("Ready", false)], "containerStatuses": [container(false, state)]});
        }
        let proxy = label(pod, "app.kubernetes.io/component").as_deref() == Some("proxy");
        let image = text(pod, "/spec/containers/0/image").unwrap_or_default();
        let no_image = self.ills.image(&image);
        if age < pulled || no_image.is_some() {
            let waits = no_image.unwrap_or_else(|| json!({"waiting": {"reason": if proxy { "PodInitializing" } else { "ContainerCreating" }}}));
            let mut status = json!({"phase": "Pending", "conditions": [scheduled(true), condition("Ready", false)],
                "containerStatuses": [container(false, waits)]});
            if proxy {
                status["initContainerStatuses"] = json!([{"name": "wait-auth-update", "ready": false, "started": true,
                    "restartCount": 0, "image": "teleport", "imageID": "", "state": {"running": {"startedAt": started}}}]);
            }
            return status;
        }
        let ending = self.ills.auth(age.saturating_sub(pulled), &started);
        if let Some((state, restarts)) = ending.filter(|_| !proxy) {
            let mut container = container(false, state);
            container["restartCount"] = json!(restarts);
            if restarts > 0 || container["state"]["waiting"].is_object() {
                container["lastState"] = json!({"terminated": {"exitCode": 1, "reason": "Error", "startedAt": started, "finishedAt": started}});
            }
            return json!({"phase": "Running", "conditions": [scheduled(true), condition("Ready", false)],
                "podIP": "10.0.0.1", "containerStatuses": [container]});
        }
        // Auth counts from its start; a proxy from the moment when Auth can be reached too.
        let ready = if proxy {
            if auth_there {
                self.fit.entry(uid.clone()).or_insert(now);
            }
            let fit = self.fit.get(&uid).map(|fit| now.since(*fit));
            fit.is_some_and(|long| long >= ms(self.timing.proxy_ready_ms)) || is_ready(pod)
        } else {
            age >= pulled + ms(self.timing.auth_ready_ms)
        };
        json!({"phase": "Running", "conditions": [scheduled(true), condition("Ready", ready)],
            "podIP": "10.0.0.1", "containerStatuses": [container(ready, json!({"running": {"startedAt": started}}))]})
    }

    fn count_replicas(&mut self) {
        for (namespace, name) in self.names(Resource::Deployments) {
            let Some(deployment) = self.store.get(Resource::Deployments, &namespace, &name) else {
                continue;
            };
            let uid = text(deployment, "/metadata/uid").unwrap_or_default();
            let generation = deployment["metadata"]["generation"].clone();
            let pods = self.owned(&namespace, &uid);
            let living: Vec<&Value> = pods
                .iter()
                .filter_map(|pod| self.store.get(Resource::Pods, &namespace, pod))
                .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null())
                .collect();
            let ready = if self.lost {
                0
            } else {
                living.iter().filter(|pod| is_ready(pod)).count()
            };
            let status = json!({"observedGeneration": generation, "replicas": living.len(), "updatedReplicas": living.len(),
                "readyReplicas": ready, "availableReplicas": ready, "unavailableReplicas": living.len() - ready});
            self.store
                .change(Resource::Deployments, &namespace, &name, |deployment| {
                    deployment["status"] = status;
                });
        }
    }

    fn give_addresses(&mut self, now: Moment) {
        for (namespace, name) in self.names(Resource::Services) {
            let Some(service) = self.store.get(Resource::Services, &namespace, &name) else {
                continue;
            };
            let due = self.age(service, now) >= Duration::from_millis(self.timing.load_balancer_ms);
            if service["spec"]["type"] != "LoadBalancer" || !due {
                continue;
            }
            let field = if self.load_balancer.parse::<IpAddr>().is_ok() {
                "ip"
            } else {
                "hostname"
            };
            let address = json!({"ingress": [{field: self.load_balancer}]});
            self.store
                .change(Resource::Services, &namespace, &name, |service| {
                    service["status"]["loadBalancer"] = address;
                });
        }
    }
}

/// Whether a pod's Ready condition is True and it is not on its way out.
pub(super) fn is_ready(pod: &Value) -> bool {
    pod["metadata"]["deletionTimestamp"].is_null()
        && pod["status"]["conditions"].as_array().is_some_and(|all| {
            all.iter()
                .any(|one| one["type"] == "Ready" && one["status"] == "True")
        })
}

fn condition(name: &str, holds: bool) -> Value {
    json!({"type": name, "status": if holds { "True" } else { "False" }})
}

fn scheduled(holds: bool) -> Value {
    condition("PodScheduled", holds)
}

fn template(owner: &Value, name: &str, kind: &str, owner_name: &str, owner_uid: &str) -> Value {
    json!({"metadata": {"name": name, "labels": owner["spec"]["template"]["metadata"]["labels"],
        "annotations": owner["spec"]["template"]["metadata"]["annotations"],
        "ownerReferences": [{"apiVersion": "v1", "kind": kind, "name": owner_name, "uid": owner_uid, "controller": true}]},
        "spec": owner["spec"]["template"]["spec"]})
}

/// Five letters as the `ReplicaSet` controller would draw them, without a die.
fn suffix(version: u64, index: usize) -> String {
    let letters = b"bcdfghjklmnpqrstvwxz2456789";
    let mut seed = version
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(index as u64 + 1);
    (0..5)
        .map(|_| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            char::from(letters[usize::try_from(seed >> 33).unwrap_or(0) % letters.len()])
        })
        .collect()
}
