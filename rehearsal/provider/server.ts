import { type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import pb from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { askedAnew, engineArguments } from "./anew.ts";
import { type Aws, connect, settings } from "./aws.ts";
import type { Failure } from "./check.ts";
import { explain } from "./explain.ts";
import type { Invoke, Kind, Props } from "./kind.ts";
import { Life } from "./life.ts";
import { sendable } from "./values.ts";

type Message = Parameters<typeof struct.Struct.fromJavaScript>[0];
type Call<T> = ServerUnaryCall<T, unknown>;
type Done = sendUnaryData<unknown>;

export interface Provided {
  readonly kinds: readonly Kind[];
  readonly invokes: readonly Invoke[];
  readonly version: string;
}

const props = (message: struct.Struct | undefined): Props => (message?.toJavaScript() ?? {}) as Props;
const message = (value: unknown): struct.Struct => struct.Struct.fromJavaScript(sendable(value) as Message);
/** `urn:pulumi:stack::project::parent$aws:ec2/vpc:Vpc::name` → the type. */
const typeOf = (urn: string): string => urn.split("::")[2]?.split("$").at(-1) ?? "";

type Handlers = Record<string, (call: never, done: Done) => void>;

/**
 * The engine's side of the provider. `@pulumi/pulumi/provider` has a server too, but that one keeps from its provider
 * what this one needs: the configuration, the inputs of the last run, and whether it is only a preview.
 */
export function service({ kinds, invokes, version }: Provided): Handlers {
  const place: Place = { aws: undefined };
  const configured = () => {
    if (!place.aws) throw new Error("the engine has not configured this provider");
    return place.aws;
  };
  const answer = answering(place);
  const lives = new Life(configured, askedAnew(engineArguments()));
  return {
    getPluginInfo: answer(() => new plugin.PluginInfo().setVersion(version)),
    getSchema: answer(() => new pb.GetSchemaResponse().setSchema("{}")),
    attach: answer(() => new empty.Empty()),
    cancel: answer(() => new empty.Empty()),
    ...configuration(answer, place),
    ...plans(answer, lives, kinds),
    ...deeds(answer, lives, kinds),
    invoke: answer(
      async (request: pb.InvokeRequest) => {
        const found = invokes.find(({ token }) => token === request.getTok());
        if (!found) throw new Error(`${request.getTok()} is not rehearsed`);
        return new pb.InvokeResponse().setReturn(message(await found.call(configured(), props(request.getArgs()))));
      },
      (request) => request.getTok(),
    ),
  };
}

/** Where this provider is at work, once the engine has said so. */
interface Place {
  aws: Aws | undefined;
}

type Answer = ReturnType<typeof answering>;

/** Answers a call; what goes wrong becomes a sentence. */
function answering(place: Place) {
  return <T>(act: (request: T) => Promise<unknown> | unknown, about?: (request: T) => string) =>
    (call: Call<T>, done: Done) => {
      Promise.resolve()
        .then(() => act(call.request))
        .then(
          (result) => done(null, result),
          async (error) => {
            const doing = about?.(call.request) ?? "";
            const details = await explain(error, doing, place.aws).catch(() => String(error));
            done({ code: status.UNKNOWN, details });
          },
        );
    };
}

function configuration(answer: Answer, place: Place): Handlers {
  return {
    checkConfig: answer((request: pb.CheckRequest) => {
      const news = props(request.getNews());
      const result = settings(news, process.env);
      const wrong = "property" in result ? failures([result]) : [];
      return new pb.CheckResponse().setInputs(message(news)).setFailuresList(wrong);
    }),
    diffConfig: answer((request: pb.DiffRequest) => {
      const [had, wants] = [props(request.getOldInputs() ?? request.getOlds()), props(request.getNews())];
      // Another region is another place: nothing there can be changed into what is here.
      const moved = had["region"] !== wants["region"];
      const { DIFF_NONE, DIFF_SOME } = pb.DiffResponse.DiffChanges;
      return new pb.DiffResponse().setChanges(moved ? DIFF_SOME : DIFF_NONE).setReplacesList(moved ? ["region"] : []);
    }),
    configure: answer((request: pb.ConfigureRequest) => {
      const result = settings(props(request.getArgs()), process.env);
      if ("property" in result) throw new Error(`aws:${result.property} ${result.reason}`);
      place.aws = connect(result);
      return new pb.ConfigureResponse().setSupportspreview(true);
    }),
  };
}

/** What is asked before anything is done. */
function plans(answer: Answer, lives: Life, kinds: readonly Kind[]): Handlers {
  return {
    check: answer((request: pb.CheckRequest) => {
      const urn = request.getUrn();
      const olds = request.getOlds();
      const result = lives.check(kindOf(kinds, urn), urn, olds && props(olds), props(request.getNews()));
      return new pb.CheckResponse().setInputs(message(result.inputs)).setFailuresList(failures(result.failures));
    }),
    diff: answer((request: pb.DiffRequest) => {
      const [urn, id] = [request.getUrn(), request.getId()];
      const kind = kindOf(kinds, urn);
      const inputs = props(request.getOldInputs() ?? request.getOlds());
      return diffResponse(kind, lives.diff(kind, { urn, id, inputs }, props(request.getNews())));
    }),
    read: answer(async (request: pb.ReadRequest) => {
      const [state, inputs] = [request.getProperties(), request.getInputs()];
      const has = { id: request.getId(), state: state && props(state), inputs: inputs && props(inputs) };
      const found = await lives.read(kindOf(kinds, request.getUrn()), request.getUrn(), has);
      const response = new pb.ReadResponse();
      if (!found) return response;
      return response.setId(found.id).setProperties(message(found.state)).setInputs(message(found.inputs));
    }, reading),
  };
}

/** What is done; in a preview it is only told what would be. */
function deeds(answer: Answer, lives: Life, kinds: readonly Kind[]): Handlers {
  return {
    create: answer(async (request: pb.CreateRequest) => {
      const inputs = props(request.getProperties());
      if (request.getPreview()) return new pb.CreateResponse().setProperties(message(inputs));
      const { id, state } = await lives.create(kindOf(kinds, request.getUrn()), request.getUrn(), inputs);
      return new pb.CreateResponse().setId(id).setProperties(message(state));
    }, creating),
    update: answer(async (request: pb.UpdateRequest) => {
      const [olds, inputs] = [props(request.getOlds()), props(request.getNews())];
      if (request.getPreview()) return new pb.UpdateResponse().setProperties(message({ ...olds, ...inputs }));
      const step = { id: request.getId(), olds, had: props(request.getOldInputs()), inputs };
      const state = await lives.update(kindOf(kinds, request.getUrn()), request.getUrn(), step);
      return new pb.UpdateResponse().setProperties(message(state));
    }, updating),
    delete: answer(async (request: pb.DeleteRequest) => {
      const has = { id: request.getId(), state: props(request.getProperties()) };
      await lives.remove(kindOf(kinds, request.getUrn()), request.getUrn(), has);
      return new empty.Empty();
    }, deleting),
  };
}

function kindOf(kinds: readonly Kind[], urn: string): Kind {
  const found = kinds.find(({ token }) => token === typeOf(urn));
  if (found) return found;
  const all = kinds.map(({ token }) => token).join(", ");
  throw new Error(`${typeOf(urn)} is not rehearsed; what is: ${all}`);
}

function failures(found: readonly Failure[]): pb.CheckFailure[] {
  return found.map(({ property, reason }) => new pb.CheckFailure().setProperty(property).setReason(reason));
}

const creating = (request: pb.CreateRequest) => `creating ${typeOf(request.getUrn())}`;
const reading = (request: pb.ReadRequest) => `reading ${typeOf(request.getUrn())} ${request.getId()}`;
const updating = (request: pb.UpdateRequest) => `updating ${typeOf(request.getUrn())} ${request.getId()}`;
const deleting = (request: pb.DeleteRequest) => `deleting ${typeOf(request.getUrn())} ${request.getId()}`;

function diffResponse(
  kind: Kind,
  { changed, replaces, paths, nameInTheWay }: ReturnType<Life["diff"]>,
): pb.DiffResponse {
  const { DIFF_NONE, DIFF_SOME } = pb.DiffResponse.DiffChanges;
  const response = new pb.DiffResponse()
    .setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE)
    .setReplacesList([...replaces])
    .setDiffsList([...changed])
    .setDeletebeforereplace(kind.single === true || nameInTheWay)
    .setHasdetaileddiff(true);
  const { ADD, ADD_REPLACE, DELETE, DELETE_REPLACE, UPDATE, UPDATE_REPLACE } = pb.PropertyDiff.Kind;
  const words = {
    add: [ADD, ADD_REPLACE],
    delete: [DELETE, DELETE_REPLACE],
    update: [UPDATE, UPDATE_REPLACE],
  } as const;
  for (const [path, word] of Object.entries(paths)) {
    const another = replaces.includes(/^\w+/.exec(path)?.[0] ?? "");
    const difference = new pb.PropertyDiff().setKind(words[word][another ? 1 : 0]).setInputdiff(true);
    response.getDetaileddiffMap().set(path, difference);
  }
  return response;
}
