from zbus.config import BrokerPlan
from zbus.transport import EVERY, Reactor, Requester, Subscriber
from zbus_brokers.edge._voice import Told, Voice


def test_the_edge_is_a_node_with_a_state(broker, wait_until):
    plan = BrokerPlan(broker.directory, broker.publish, broker.subscribe)
    told = Told({"auth_denied": 3}, {"insecure": False})
    heard = []
    with Reactor() as reactor, Subscriber(broker.subscribe, "state/edge/", policy=EVERY) as subscriber:
        with Voice(plan, reactor, lambda: told):
            wait_until(lambda: reactor.run_once(0.05) or heard.extend(subscriber.take()) or heard)
            with Requester(broker.directory) as requester:

                def nodes():
                    reactor.run_once(0.05)
                    return [node["node"] for node in requester.request("nodes")["nodes"]]

                wait_until(lambda: nodes() == ["edge"])
        wait_until(lambda: heard.extend(subscriber.take()) or heard[-1].body.state == "stopped")
    assert heard[0].body.role == "edge"
    assert heard[0].body.counters["auth_denied"] == 3
