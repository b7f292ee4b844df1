/** How the types of gates begin. Apart from the gates, so that who reads events need not load the SDK. */
export const gateType = "pulumi-nodejs:dynamic/infra/gate:";
