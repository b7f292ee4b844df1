/** What has been heard and said since the start, by the names of the first health managers' varz. */
export interface Counters {
  heartbeat_msgs_received: number;
  droplet_exited_msgs_received: number;
  droplet_updated_msgs_received: number;
  healthmanager_status_msgs_received: number;
  healthmanager_health_request_msgs_received: number;
  health_start_messages_sent: number;
  health_stop_messages_sent: number;
  /** Seconds the last comparison took. */
  analysis_loop_duration: number;
}

export function counters(): Counters {
  return {
    heartbeat_msgs_received: 0,
    droplet_exited_msgs_received: 0,
    droplet_updated_msgs_received: 0,
    healthmanager_status_msgs_received: 0,
    healthmanager_health_request_msgs_received: 0,
    health_start_messages_sent: 0,
    health_stop_messages_sent: 0,
    analysis_loop_duration: 0,
  };
}
